// Command controlplane is a whole Kubernetes control plane in one binary: its first argument names the component to run.
//
// The launcher in the Python package around this module builds it once and starts it once per component. It knows nothing
// of ports, certificates or data directories; those come as the component's own flags.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// lifelineVariable names the environment variable with the number of an inherited pipe's reading end.
const lifelineVariable = "DEVCLUSTER_LIFELINE_FD"

// usageError is the exit code for a wrong first argument or a lifeline that is no file descriptor.
const usageError = 2

func main() {
	if len(os.Args) < 2 {
		fail("name a component: etcd, kube-apiserver, kube-controller-manager or kube-scheduler")
	}
	holdLifeline()
	component := os.Args[1]
	// Each component believes to be its own program: usage texts and etcd's argument parser read os.Args.
	os.Args = os.Args[1:]
	switch component {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	default:
		fail(fmt.Sprintf("no such component: %q", component))
	}
}

// holdLifeline ends this process as soon as the launcher is gone. The launcher holds the pipe's writing end and never
// writes; however it dies, the kernel closes that end, and the read below returns. No signal can be missed, and it
// works wherever there are pipes.
func holdLifeline() {
	value := os.Getenv(lifelineVariable)
	if value == "" {
		return
	}
	descriptor, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		fail(fmt.Sprintf("%s=%q is no file descriptor", lifelineVariable, value))
	}
	lifeline := os.NewFile(uintptr(descriptor), "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, lifeline)
		os.Exit(1)
	}()
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "controlplane: "+message)
	os.Exit(usageError)
}
