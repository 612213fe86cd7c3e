{{/* A release may be called anything; what its parts are called stays short and the same. */}}
{{- define "ibora.prefix" -}}
{{- if eq .Release.Name "ibora" }}{{ else }}{{ printf "%s-" .Release.Name | trunc 30 }}{{ end }}
{{- end }}

{{/* dict: root, service, component (api, worker, migration, test) */}}
{{- define "ibora.selector" -}}
app.kubernetes.io/name: {{ .service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "ibora.labels" -}}
app.kubernetes.io/part-of: ibora
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* dict: root, service */}}
{{- define "ibora.image" -}}
{{- $image := .root.Values.image -}}
{{- $own := index .root.Values.services .service -}}
{{- $name := printf "%s/%s" $image.repository .service -}}
{{- if $image.registry }}{{ $name = printf "%s/%s" $image.registry $name }}{{ end -}}
{{- if $own.digest -}}
{{ $name }}@{{ $own.digest }}
{{- else -}}
{{ $name }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "ibora.url" -}}
http://{{ include "ibora.prefix" .root }}{{ .service }}:8000
{{- end }}

{{/* The secret that must exist: dict root, value (its name), path (of the value) */}}
{{- define "ibora.secret" -}}
{{- required (printf "%s is required: secrets are made outside of the chart (docs/deployment.md)" .path) .value -}}
{{- end }}
