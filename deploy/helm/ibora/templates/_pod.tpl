{{/* What every pod of ours keeps to: Kubernetes' restricted profile, and no token of the API. */}}
{{- define "ibora.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "ibora.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 10001
  capabilities:
    drop: [ALL]
{{- end }}

{{/* The environment of a service. dict: root, service, fact, component */}}
{{- define "ibora.environment" -}}
{{- $root := .root -}}
{{- $v := .root.Values -}}
{{- $own := index $v.services .service -}}
{{- $role := .service | replace "-" "_" -}}
- {name: SERVICE_HOST, value: 0.0.0.0}
- {name: SERVICE_PORT, value: "8000"}
- {name: ENVIRONMENT, value: {{ $v.environment | quote }}}
- {name: LOG_LEVEL, value: {{ $v.logLevel | quote }}}
- {name: PUBLIC_URL, value: {{ required "publicUrl is required" $v.publicUrl | quote }}}
- {name: TOKEN_ISSUER, value: {{ required "tokens.issuer is required" $v.tokens.issuer | quote }}}
- {name: TOKEN_AUDIENCE, value: {{ $v.tokens.audience | quote }}}
- {name: DRAIN_S, value: {{ $v.shutdown.drainSeconds | quote }}}
- {name: SHUTDOWN_S, value: {{ $v.shutdown.requestSeconds | quote }}}
- {name: GATEWAY_TOKEN_FILE, value: /run/secrets/ibora/gateway/token}
{{- if $v.corsOrigins }}
- {name: CORS_ORIGINS, value: {{ $v.corsOrigins | toJson | quote }}}
{{- end }}
{{- if ne .service "identity" }}
- {name: JWKS_URL, value: {{ printf "%s/.well-known/jwks.json" (include "ibora.url" (dict "root" $root "service" "identity")) | quote }}}
- {name: IDENTITY_URL, value: {{ include "ibora.url" (dict "root" $root "service" "identity") | quote }}}
{{- end }}
{{- if $v.valkey.existingSecret }}
- name: VALKEY_URL
  valueFrom: {secretKeyRef: {name: {{ $v.valkey.existingSecret }}, key: url}}
{{- else }}
- {name: VALKEY_URL, value: {{ required "valkey.url or valkey.existingSecret is required" $v.valkey.url | quote }}}
{{- end }}
{{- with $v.telemetry.otlpEndpoint }}
- {name: OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- if ne $v.telemetry.samplingRatio nil }}
- {name: TRACES_SAMPLING_RATIO, value: {{ $v.telemetry.samplingRatio | quote }}}
{{- end }}
{{- if $v.telemetry.sentrySecret }}
- {name: SENTRY_DSN_FILE, value: /run/secrets/ibora/sentry/dsn}
{{- end }}
{{- if .fact.database }}
{{- $where := printf "%s:%v/%s" (required "postgres.host is required" $v.postgres.host) $v.postgres.port $role }}
- {name: DATABASE_URL, value: {{ printf "postgresql://%s@%s" $role $where | quote }}}
- {name: DATABASE_PASSWORD_FILE, value: /run/secrets/ibora/own/database-password}
{{- if $v.postgres.replicaHost }}
- {name: DATABASE_REPLICA_URL, value: {{ printf "postgresql://%s@%s:%v/%s" $role $v.postgres.replicaHost $v.postgres.port $role | quote }}}
{{- end }}
{{- if eq .component "migration" }}
- {name: DATABASE_OWNER_URL, value: {{ printf "postgresql://%s_owner@%s" $role $where | quote }}}
- {name: DATABASE_OWNER_PASSWORD_FILE, value: /run/secrets/ibora/owner/database-owner-password}
{{- end }}
- {name: KAFKA_BOOTSTRAP, value: {{ required "kafka.bootstrap is required" $v.kafka.bootstrap | quote }}}
- {name: KAFKA_TOPIC_PREFIX, value: {{ $v.kafka.topicPrefix | quote }}}
- {name: KAFKA_SECURITY_PROTOCOL, value: {{ $v.kafka.securityProtocol }}}
{{- if hasPrefix "SASL" $v.kafka.securityProtocol }}
- {name: KAFKA_SASL_MECHANISM, value: {{ required "kafka.saslMechanism is required with SASL" $v.kafka.saslMechanism }}}
- {name: KAFKA_USERNAME_FILE, value: /run/secrets/ibora/kafka/username}
- {name: KAFKA_PASSWORD_FILE, value: /run/secrets/ibora/kafka/password}
{{- end }}
{{- if hasSuffix "SSL" $v.kafka.securityProtocol }}
- {name: KAFKA_CA_FILE, value: /run/secrets/ibora/kafka-ca/ca.crt}
{{- end }}
{{- end }}
{{- range $name, $key := .fact.files }}
- {name: {{ $name }}, value: /run/secrets/ibora/own/{{ $key }}}
{{- end }}
{{- if eq .service "identity" }}
{{- with $v.firstAdmin.login }}
- {name: FIRST_ADMIN_LOGIN, value: {{ . | quote }}}
- {name: FIRST_ADMIN_PASSWORD_FILE, value: /run/secrets/ibora/own/first-admin-password}
{{- end }}
{{- end }}
{{- if .fact.efi }}
- {name: EFI_BASE_URL, value: {{ required "efi.baseUrl is required" $v.efi.baseUrl | quote }}}
- {name: EFI_PIX_KEY, value: {{ required "efi.pixKey is required" $v.efi.pixKey | quote }}}
- {name: EFI_CREDENTIALS_FILE, value: /run/secrets/ibora/efi/credentials.json}
- {name: EFI_CERTIFICATE_FILE, value: /run/secrets/ibora/efi/{{ $v.efi.certificateKey }}}
{{- if $v.efi.ownCa }}
- {name: EFI_CA_FILE, value: /run/secrets/ibora/efi/ca.pem}
{{- end }}
{{- end }}
{{- if .fact.webhook }}
- {name: WEBHOOK_URL, value: {{ required "webhook.url is required" $v.webhook.url | quote }}}
- {name: WEBHOOK_HOST, value: 0.0.0.0}
- {name: WEBHOOK_PORT, value: "8443"}
- {name: WEBHOOK_CERTIFICATE_FILE, value: /run/secrets/ibora/webhook/tls.crt}
- {name: WEBHOOK_KEY_FILE, value: /run/secrets/ibora/webhook/tls.key}
- {name: WEBHOOK_CLIENT_CA_FILE, value: /run/secrets/ibora/webhook/ca.crt}
- {name: WEBHOOK_CLIENT_SUBJECT, value: {{ include "ibora.webhookSubject" $root | quote }}}
{{- with $v.webhook.clientIssuer }}
- {name: WEBHOOK_CLIENT_ISSUER, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- if .fact.public }}
- {name: OPENAPI_FILE, value: /app/schemas/openapi/public.json}
- name: SERVICE_URLS
  value: {{ include "ibora.serviceUrls" . | quote }}
{{- with $v.trustedProxies }}
- {name: TRUSTED_PROXIES, value: {{ . | toJson | quote }}}
{{- end }}
{{- end }}
{{- range $name, $value := $own.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{/* Efí's two environments share the authority that signs their webhook clients: the subject alone tells them apart. */}}
{{- define "ibora.webhookSubject" -}}
{{- $subject := required "webhook.clientSubject is required: webhook.efipay.com.br in production, webhook-h.efipay.com.br in homologation" .Values.webhook.clientSubject -}}
{{- $hosts := dict "pix.api.efipay.com.br" "webhook.efipay.com.br" "pix-h.api.efipay.com.br" "webhook-h.efipay.com.br" -}}
{{- with get $hosts (urlParse .Values.efi.baseUrl).hostname -}}
{{- if ne . $subject }}{{ fail (printf "webhook.clientSubject must be %s with efi.baseUrl %s, not %s" . $.Values.efi.baseUrl $subject) }}{{ end -}}
{{- end -}}
{{- $subject -}}
{{- end }}

{{- define "ibora.serviceUrls" -}}
{{- $root := .root -}}
{{- $urls := dict -}}
{{- range .fact.calls }}{{ $_ := set $urls . (include "ibora.url" (dict "root" $root "service" .)) }}{{ end -}}
{{- $urls | toJson -}}
{{- end }}

{{/* The secrets of a pod, each a folder. The name a secret's volume has, its secret, its keys. dict: root, service, fact, component */}}
{{- define "ibora.secrets" -}}
{{- $v := .root.Values -}}
{{- $own := index $v.services .service -}}
- {name: gateway, secret: {{ include "ibora.secret" (dict "value" $v.gatewayToken.existingSecret "path" "gatewayToken.existingSecret") }}, keys: [token]}
{{- $keys := list }}
{{- if .fact.database }}{{ $keys = append $keys "database-password" }}{{ end }}
{{- range $_, $key := .fact.files }}{{ $keys = append $keys $key }}{{ end }}
{{- if and (eq .service "identity") $v.firstAdmin.login }}{{ $keys = append $keys "first-admin-password" }}{{ end }}
{{- if $keys }}
- {name: own, secret: {{ include "ibora.secret" (dict "value" $own.existingSecret "path" (printf "services.%s.existingSecret" .service)) }}, keys: {{ $keys | toJson }}}
{{- end }}
{{- if eq .component "migration" }}
- {name: owner, secret: {{ include "ibora.secret" (dict "value" $own.ownerSecret "path" (printf "services.%s.ownerSecret" .service)) }}, keys: [database-owner-password]}
{{- end }}
{{- if .fact.efi }}
- {name: efi, secret: {{ include "ibora.secret" (dict "value" $v.efi.existingSecret "path" "efi.existingSecret") }}, keys: [credentials.json, {{ $v.efi.certificateKey }}{{ if $v.efi.ownCa }}, ca.pem{{ end }}]}
{{- end }}
{{- if .fact.webhook }}
- {name: webhook, secret: {{ include "ibora.secret" (dict "value" $v.webhook.existingSecret "path" "webhook.existingSecret") }}, keys: [tls.crt, tls.key, ca.crt]}
{{- end }}
{{- if and .fact.database (hasPrefix "SASL" $v.kafka.securityProtocol) }}
- {name: kafka, secret: {{ include "ibora.secret" (dict "value" $v.kafka.existingSecret "path" "kafka.existingSecret") }}, keys: [username, password]}
{{- end }}
{{- if and .fact.database (hasSuffix "SSL" $v.kafka.securityProtocol) }}
- {name: kafka-ca, secret: {{ include "ibora.secret" (dict "value" $v.kafka.caSecret "path" "kafka.caSecret") }}, keys: [ca.crt]}
{{- end }}
{{- with $v.telemetry.sentrySecret }}
- {name: sentry, secret: {{ . }}, keys: [dsn]}
{{- end }}
{{- end }}

{{/* The one container of a pod, and the volumes. dict: root, service, fact, component, resources */}}
{{- define "ibora.container" -}}
- name: {{ .service }}
  image: {{ include "ibora.image" . | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: [{{ ternary "migrate" .component (eq .component "migration") }}]
  {{- include "ibora.containerSecurity" . | nindent 2 }}
  env:
    {{- include "ibora.environment" . | nindent 4 }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- range include "ibora.secrets" . | fromYamlArray }}
    - {name: {{ .name }}, mountPath: /run/secrets/ibora/{{ .name }}, readOnly: true}
    {{- end }}
  {{- if ne .component "migration" }}
  ports:
    - {name: http, containerPort: 8000}
    {{- if and .fact.webhook (eq .component "api") }}
    - {name: webhook, containerPort: 8443}
    {{- end }}
  startupProbe:
    httpGet: {path: /health, port: http}
    periodSeconds: 2
    failureThreshold: 45
  readinessProbe:
    httpGet: {path: /ready, port: http}
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 2
  livenessProbe:
    httpGet: {path: /health, port: http}
    periodSeconds: 10
    timeoutSeconds: 3
    failureThreshold: 3
  lifecycle:
    preStop:
      sleep: {seconds: {{ .root.Values.shutdown.preStopSeconds }}}
  {{- end }}
{{- end }}

{{- define "ibora.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- range include "ibora.secrets" . | fromYamlArray }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      {{- range .keys }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- end }}
