// Command pause is the first process of a namespace: it waits, and reaps what is orphaned there.
//
// It serves twice. In a Pod it is the sandbox container, of an image that holds nothing else. On the machine it is the
// first process of a node's own namespaces: when it ends, the kernel ends everything in them. There it holds the lifeline
// of its launcher, and so ends with it.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// lifelineVariable names the environment variable with the number of an inherited pipe's reading end.
const lifelineVariable = "DEVCLUSTER_LIFELINE_FD"

// usageError is the exit code for a lifeline that is no file descriptor.
const usageError = 2

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGINT, syscall.SIGTERM)
	// An orphan may have ended before the first signal could be noticed.
	reap()
	ended := lifeline()
	for {
		select {
		case <-ended:
			os.Exit(1)
		case received := <-signals:
			if received != syscall.SIGCHLD {
				return
			}
			reap()
		}
	}
}

// reap takes note of every child that has ended; several may share one signal.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 && err != syscall.EINTR {
			return
		}
	}
}

// lifeline returns a channel that closes when the launcher is gone; without a launcher it never does. The launcher holds
// the pipe's writing end and never writes; however it dies, the kernel closes that end, and the read returns.
func lifeline() <-chan struct{} {
	ended := make(chan struct{})
	value := os.Getenv(lifelineVariable)
	if value == "" {
		return ended
	}
	descriptor, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		fmt.Fprintf(os.Stderr, "pause: %s=%q is no file descriptor\n", lifelineVariable, value)
		os.Exit(usageError)
	}
	pipe := os.NewFile(uintptr(descriptor), "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		close(ended)
	}()
	return ended
}
