package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tasker-systems/tasker-worker/engine"
)

// secretPrefix begins the variables whose values handlers may ask for: TASKER_SECRET_STRIPE_KEY is the secret stripe_key.
const secretPrefix = "TASKER_SECRET_"

// secrets are the values that handlers may ask for, by name.
type secrets map[string]secretEntry

// secretEntry is one secret of the file.
type secretEntry struct {
	// Value is that of the variable when the file has none.
	Value string `json:"value"`
	// Handlers are the names that may ask; one that ends in * is a prefix.
	Handlers []string `json:"handlers"`
}

var _ engine.Secrets = secrets{}

// Secret implements [engine.Secrets].
func (s secrets) Secret(_ context.Context, handler, name string) (string, error) {
	entry, ok := s[name]
	if !ok || !slices.ContainsFunc(entry.Handlers, func(pattern string) bool { return isHandler(handler, pattern) }) {
		return "", fmt.Errorf("%w: secret %q is unknown, or handler %s may not have it", engine.ErrNotPermitted, name, handler)
	}
	return entry.Value, nil
}

func isHandler(handler, pattern string) bool {
	prefix, isPrefix := strings.CutSuffix(pattern, "*")
	return handler == pattern || isPrefix && strings.HasPrefix(handler, prefix)
}

// loadSecrets reads the secrets from the file, and from the variables of environ what the file leaves to them. Without a file
// every handler may have every variable. A nil result has no secrets.
func loadSecrets(file string, environ []string) (engine.Secrets, error) {
	variables := make(secrets)
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if name, ok := strings.CutPrefix(name, secretPrefix); ok && name != "" {
			variables[strings.ToLower(name)] = secretEntry{Value: value, Handlers: []string{"*"}}
		}
	}
	if file == "" {
		if len(variables) == 0 {
			return nil, nil
		}
		return variables, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("TASKER_SECRETS_FILE: %w", err)
	}
	var all secrets
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&all) != nil { // whose error may repeat a part of the file
		return nil, fmt.Errorf(`TASKER_SECRETS_FILE %s is not of the form {"stripe_key": {"value": "…", "handlers": ["Payments::*"]}} near byte %d`, file, decoder.InputOffset())
	}
	for name, entry := range all {
		if entry.Value == "" {
			entry.Value = variables[name].Value
		}
		if entry.Value == "" {
			return nil, fmt.Errorf("TASKER_SECRETS_FILE %s: secret %s has no value, and %s%s is not set", file, name, secretPrefix, strings.ToUpper(name))
		}
		all[name] = entry
	}
	return all, nil
}
