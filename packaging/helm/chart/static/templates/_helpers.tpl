{{/* Image of all Pods: by digest if there is one, else by tag. */}}
{{- define "provisioner-operator.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels of what only hooks need. */}}
{{- define "provisioner-operator.checkLabels" -}}
app.kubernetes.io/name: provisioner-operator
app.kubernetes.io/component: check
app.kubernetes.io/part-of: provisioner-operator
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Spec of a Pod that runs the command line once; the argument `arguments` are its words. */}}
{{- define "provisioner-operator.checkPod" -}}
{{- with .context -}}
serviceAccountName: {{ $.account }}
automountServiceAccountToken: true
enableServiceLinks: false
restartPolicy: Never
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
- name: check
  image: {{ include "provisioner-operator.image" . }}
  {{- with .Values.image.pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  args: {{- toYaml $.arguments | nindent 2 }}
  resources:
    requests:
      cpu: 100m
      memory: 64Mi
    limits:
      memory: 256Mi
  securityContext: {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
  - name: tmp
    mountPath: /tmp
volumes:
- name: tmp
  emptyDir:
    sizeLimit: 16Mi
{{- end -}}
{{- end -}}

{{/* Share of jobs that may start later than the objective's target. */}}
{{- define "provisioner-operator.errorBudget" -}}
{{ round (subf 1 .Values.prometheusRule.slo.objective) 9 }}
{{- end -}}
