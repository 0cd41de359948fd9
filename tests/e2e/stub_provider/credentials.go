package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// audience is what a token must be meant for. The API server's own tokens are meant for the API server.
const audience = "sts.stub.example.com"

// authenticate returns whom the cloud takes the caller for.
func authenticate() (string, error) {
	key, secret := os.Getenv("STUB_ACCESS_KEY"), os.Getenv("STUB_SECRET_KEY")
	if key != "" && secret != "" {
		return "key " + key, nil
	}
	role, file := os.Getenv("STUB_ROLE_ARN"), os.Getenv("STUB_WEB_IDENTITY_TOKEN_FILE")
	if role != "" && file != "" {
		return assume(role, file)
	}
	return "", errors.New("set STUB_ACCESS_KEY and STUB_SECRET_KEY, or STUB_ROLE_ARN and STUB_WEB_IDENTITY_TOKEN_FILE")
}

// assume exchanges the token in a file for a role, as a cloud does but for the signature, for which one needs the issuer.
func assume(role, file string) (string, error) {
	token, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	parts := strings.Split(strings.TrimSpace(string(token)), ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("%s has no token", file)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("%s has no token: %w", file, err)
	}
	var claims struct {
		Audiences []string `json:"aud"`
		Subject   string   `json:"sub"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", fmt.Errorf("%s has no token: %w", file, err)
	}
	if !slices.Contains(claims.Audiences, audience) {
		return "", fmt.Errorf("the token in %s is for %v, not for %s", file, claims.Audiences, audience)
	}
	return fmt.Sprintf("role %s of %s", role, claims.Subject), nil
}
