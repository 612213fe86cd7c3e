{{/*
The service map: what each service is made of and whom it may call. Deployments, environments, secrets and network policies are all
made from it, so that an edge exists in one place. `files` are the secrets of a service's own: setting -> key of its existingSecret.
*/}}
{{- define "ibora.catalog" -}}
gateway:
  calls: [identity, ride-dispatch, payment, ledger, payout, notification, backoffice]
  public: true
identity:
  worker: true
  database: true
  files:
    ENCRYPTION_KEY_FILE: encryption-key
    BLIND_INDEX_KEY_FILE: blind-index-key
    SERVICE_TOKEN_FILE: service-token
ride-dispatch:
  worker: true
  database: true
  calls: [identity]
payment:
  worker: true
  database: true
  calls: [identity]
  efi: true
  webhook: true
  files:
    ENCRYPTION_KEY_FILE: encryption-key
ledger:
  worker: true
  database: true
  calls: [identity]
  files:
    ANCHOR_KEY_FILE: anchor-key
payout:
  worker: true
  database: true
  calls: [identity]
  efi: true
  files:
    ENCRYPTION_KEY_FILE: encryption-key
    SERVICE_TOKEN_FILE: service-token
notification:
  worker: true
  database: true
  calls: [identity]
backoffice:
  worker: true
  database: true
  calls: [identity]
{{- end }}
