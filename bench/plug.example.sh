#!/usr/bin/env bash
# The controller of plug.example.yaml: accepts ConfigMaps, and cancels those that are to be, as kubectl sees them.
set -u
kubectl="kubectl --kubeconfig=$1 --namespace=$2"
move() {
  names=$($kubectl get configmaps -l "$1" -o name)
  [ -z "$names" ] || $kubectl patch $names --type=merge -p "{\"data\":{\"phase\":\"$2\"},\"metadata\":{\"labels\":{\"is\":\"$2\"}}}" >/dev/null
}
while :; do
  move 'job=true,!is' Accepted
  move 'cancel=true,is!=Canceled' Canceled
  sleep 0.2
done
