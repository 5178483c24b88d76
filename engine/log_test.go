package engine

import "testing"

func TestSecretsAreRedactedInEveryForm(t *testing.T) {
	t.Parallel()
	redactor := NewRedactor(
		"geheim", "geheimnis", "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n", "short", `say "hello"`,
	)
	for _, test := range []struct{ rule, text, want string }{
		{"as it is", "the geheim one", "the xxxxx one"},
		{"a value that begins with another", "geheimnis", "xxxxx"},
		{"a line of a value", "read MIIEvQIBADANBg", "read xxxxx"},
		{"as JSON", `{"said": "say \"hello\""}`, `{"said": "xxxxx"}`},
		{"too short to tell from words", "short", "short"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			if got := redactor.Redact(test.text); got != test.want {
				t.Errorf("Redact(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}
