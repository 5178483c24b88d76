package engine

import "testing"

func TestSecretsAreRedactedInEveryForm(t *testing.T) {
	t.Parallel()
	redactor := NewRedactor(
		"geheim", "geheimnis", "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n", "pin", `say "hello"`,
	)
	for _, test := range []struct{ rule, text, want string }{
		{"as it is", "the geheim one", "the [REDACTED] one"},
		{"a value that begins with another", "geheimnis", "[REDACTED]"},
		{"a line of a value", "read MIIEvQIBADANBg", "read [REDACTED]"},
		{"as JSON", `{"said": "say \"hello\""}`, `{"said": "[REDACTED]"}`},
		{"too short to tell from words", "pin", "pin"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			if got := redactor.Redact(test.text); got != test.want {
				t.Errorf("Redact(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}
