"""One example of each kind, for its page of the reference. A test has the API server accept each of them.

They show what is usual, not every field: the tables have those.
"""

from collections.abc import Mapping

from pydantic import BaseModel

from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.pool import ProvisionerPool
from provisioner_operator.api.v1alpha1.queueing.queue import ProvisionerQueue
from provisioner_operator.api.v1alpha1.template import WorkspaceTemplate
from provisioner_operator.api.v1alpha1.workspace import Workspace

_JOB = """\
apiVersion: provisioner.dev/v1alpha1
kind: ProvisionerJob
metadata:
  name: dev-7
spec:
  type: WorkspaceBuild
  transition: Start
  workspaceRef:
    name: dev                       # its other jobs wait for this one
  tags:                             # a daemon that has all of them runs it
    environment: on-prem
  source:
    git:
      url: https://git.example.com/platform/templates.git
      ref: v3
      path: machine
      secretRef:
        name: git-login
  variables:
    - name: region
      value: us
    - name: api_token
      valueFrom:
        secretKeyRef:
          name: cloud
          key: token
  priority: 10
  pendingTimeoutSeconds: 1800
  activeDeadlineSeconds: 3600
  ttlSecondsAfterFinished: 86400
"""

_DAEMON = """\
apiVersion: provisioner.dev/v1alpha1
kind: ProvisionerDaemon
metadata:
  name: on-prem-1                   # provisioner-daemon run --name on-prem-1
spec:
  tags:
    environment: on-prem
    datacenter: chicago
  provisioners: [terraform]
  capacity: 2
  lostAfterSeconds: 300
  cancelGraceSeconds: 180
"""

_POOL = """\
apiVersion: provisioner.dev/v1alpha1
kind: ProvisionerPool
metadata:
  name: on-prem
spec:
  tags:
    environment: on-prem
  capacity: 1
  autoscaling:
    minReplicas: 0                  # the first job waits for a Pod
    maxReplicas: 10
    targetWaitSeconds: 60
    scaleDownDelaySeconds: 300
  template:
    resources:
      requests: {cpu: 200m, memory: 512Mi}
      limits: {memory: 2Gi}
    envFrom:                        # credentials of a cloud, for the runs
      - secretRef:
          name: cloud
    nodeSelector:
      kubernetes.io/os: linux
"""

_TEMPLATE = """\
apiVersion: provisioner.dev/v1alpha1
kind: WorkspaceTemplate
metadata:
  name: machine
spec:
  displayName: Virtual machine
  description: A machine for one developer.
  source:
    git:
      url: https://git.example.com/platform/templates.git
      ref: main
      path: machine
  tags:
    environment: on-prem
  variables:
    - name: network
      value: developers
  parameters:
    - name: size
      type: string
      default: small
      mutable: true
      options:
        - {name: Small, value: small}
        - {name: Large, value: large}
    - name: disk_gib
      type: number
      default: "20"
      validation: {min: 10, max: 200}
  terraformVersion: ">= 1.9, < 2"
  allowUserCancel: true
  activeDeadlineSeconds: 3600
"""

_WORKSPACE = """\
apiVersion: provisioner.dev/v1alpha1
kind: Workspace
metadata:
  name: dev
spec:
  templateRef:
    name: machine
  parameters:
    - name: size
      value: large
  running: true
  autostopSeconds: 36000            # ten hours after each start
  updatePolicy: OnStart
  deletionPolicy: Delete
  driftCheckSeconds: 86400
"""

_QUEUE = """\
apiVersion: provisioner.dev/v1alpha1
kind: ProvisionerQueue
metadata:
  name: default                     # the only name; one object of a namespace
spec:
  fairness:
    by: Initiator
    weights:
      - {name: ci, weight: 1}
      - {name: "*", weight: 4}      # everybody else
    halfLifeSeconds: 3600
  limits:
    - name: heavy
      match: {template: gpu-box}
      maxRunning: 2
    - name: each-person
      per: Initiator
      maxRunning: 5
  backgroundReasons: [Autostop, TemplateImport, Drift]
  history:
    completed: 20
    failed: 100
    perWorkspace: 10
"""

EXAMPLES: Mapping[type[BaseModel], str] = {
    ProvisionerJob: _JOB,
    ProvisionerDaemon: _DAEMON,
    ProvisionerPool: _POOL,
    ProvisionerQueue: _QUEUE,
    WorkspaceTemplate: _TEMPLATE,
    Workspace: _WORKSPACE,
}
"""The example of each kind, as YAML."""
