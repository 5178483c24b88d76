package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestSecretsAreForTheirHandlersOnly(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secrets.json")
	const content = `{"stripe_key": {"handlers": ["Payments::*"]}, "mail": {"value": "m", "handlers": ["Mail"]}}`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"TASKER_SECRET_STRIPE_KEY=sk", "TASKER_SECRET_OTHER=o"}
	for name, row := range map[string]struct{ file, handler, secret, want string }{
		"pattern":          {file, "Payments::Charge", "stripe_key", "sk"},
		"other handler":    {file, "Mail", "stripe_key", ""},
		"exact name":       {file, "Mail", "mail", "m"},
		"longer name":      {file, "Mailer", "mail", ""},
		"not in the file":  {file, "Mail", "other", ""},
		"without a file":   {"", "Mail", "other", "o"},
		"unknown anywhere": {"", "Mail", "none", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := loadSecrets(row.file, environ)
			if err != nil {
				t.Fatal(err)
			}
			got, err := all.Secret(t.Context(), row.handler, row.secret)
			if got != row.want || (row.want == "") != errors.Is(err, engine.ErrNotPermitted) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
