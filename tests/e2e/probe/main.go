// Command probe is what the tests of a node put into Pods: it serves, asks, says who it is, and eats memory.
//
// It needs no other file, so an image of it is made from scratch. Its first argument says what to do.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// account is where kubelet puts the Pod's token and the certificate of the API server's authority.
const account = "/var/run/secrets/kubernetes.io/serviceaccount"

// answerTimeout is far longer than any answer within a node takes.
const answerTimeout = 20 * time.Second

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatalf("probe: %v", err)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[0] == "serve":
		return serve(arguments[1])
	case len(arguments) == 2 && arguments[0] == "get":
		return get(arguments[1])
	case len(arguments) == 1 && arguments[0] == "whoami":
		return whoami()
	case len(arguments) == 1 && arguments[0] == "eat":
		return eat()
	}
	return errors.New("usage: probe serve TEXT | get URL | whoami | eat")
}

// serve answers every request on port 8080 with a text, until it is told to end.
func serve(text string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		return err
	}
	server := &http.Server{
		ReadHeaderTimeout: answerTimeout,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintln(w, text)
		}),
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Println("serving", text)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// get prints what a URL answers.
func get(url string) error {
	client := &http.Client{Timeout: answerTimeout}
	return printed(client.Get(url))
}

// whoami asks the API server, by its service address, whom it takes this Pod for.
func whoami() error {
	token, err := os.ReadFile(account + "/token")
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(account + "/ca.crt")
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	client := &http.Client{
		Timeout:   answerTimeout,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
	}
	host := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	review := `{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}`
	url := "https://" + host + "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewBufferString(review))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	request.Header.Set("Content-Type", "application/json")
	return printed(client.Do(request))
}

// eat takes memory until the kernel objects.
func eat() error {
	var eaten [][]byte
	for {
		piece := make([]byte, 1<<20)
		for i := range piece {
			// A page that was never written takes no memory.
			piece[i] = 1
		}
		eaten = append(eaten, piece)
		fmt.Println("eaten", len(eaten), "MiB")
	}
}

func printed(response *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return errors.New(response.Status)
	}
	return nil
}
