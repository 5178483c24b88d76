package sql_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/sql"
)

// passwordIn is a connection string and the password that its author means.
type passwordIn struct{ dsn, password string }

// passwordForms are the forms that passwords have in connection strings, right and wrong ones. Nobody listens there.
func passwordForms() []passwordIn {
	var forms []passwordIn
	// A password as it is, and as a URL wants it.
	for _, password := range []string{
		"Zq7wXk9v", "Zq7w@Xk9v", "Zq7w/Xk9v", "Zq7w?Xk9v", "Zq7w#Xk9v", "Zq7w:Xk9v", "Zq7w&Xk9v", "Zq7w=Xk9v",
		"Zq7w Xk9v", "Zq7w%Xk9v", "Zq7w%zzXk9v", "Zq7w[Xk9v", "Zq7w]Xk9v", `Zq7w\Xk9v`, "Zq7w'Xk9v", `Zq7w"Xk9v`, "Zq7w,Xk9v", "Zq7w;Xk9v", "Zq7w+Xk9v",
		"@Zq7wXk9v", "Zq7wXk9v@", "1/Zq7wXk9v", "1#Zq7wXk9v", "1?Zq7wXk9v", "1,Zq7wXk9v", "Zq7w@Xk9v/Pj3t", "Zq7w&user=Xk9v@", "Zq7wé@Xk9v", "7171719",
	} {
		for _, dsn := range []string{
			"postgres://me:PW@127.0.0.1:1/app", "postgresql://me:PW@nowhere.invalid/app", "postgres://me:PW@/app", "postgres://me:PW@127.0.0.1:port/app",
			"postgres://127.0.0.1:1/app?user=me&password=PW", "postgres://127.0.0.1:1/app?sslpassword=PW", "postgres://me@127.0.0.1:1/app?Password=PW",
			"postgres://127.0.0.1:1/app?options=-c%20my.key%3DPW", "postgres://me@127.0.0.1:1/app?passwort=PW&connect_timeout=2",
			"host=127.0.0.1 port=1 user=me password=PW dbname=app", "host=127.0.0.1 port=1 password='PW' sslpassword='PW'", "host=127.0.0.1 port=1 pasword=PW",
			"host=127.0.0.1 port=1 options='-c my.key=PW'", "host=127.0.0.1 port=1 user=me;password=PW", "host=127.0.0.1,password=PW", "host = 127.0.0.1 port = 1 PASSWORD = PW",
			"me:PW@127.0.0.1:1/app", "mysql://me:PW@127.0.0.1:1/app", "POSTGRES://me:PW@127.0.0.1:1/app", " postgres://me:PW@127.0.0.1:1/app",
			`"postgres://me:PW@127.0.0.1:1/app"`, "DATABASE_URL=postgres://me:PW@127.0.0.1:1/app", "postgres:me:PW@127.0.0.1:1/app",
			"postgres://127.0.0.1:1/app;password=PW", "jdbc:postgresql://127.0.0.1:1/app?user=me&password=PW",
		} {
			forms = append(forms, passwordIn{strings.ReplaceAll(dsn, "PW", password), password})
		}
	}
	return forms
}

// piece returns three characters of the password that text shows.
func (p passwordIn) piece(text string) string {
	for i := range len(p.password) - 2 {
		if piece := p.password[i : i+3]; strings.ContainsAny(piece, "Zq7wXk9vPj3t") && strings.Contains(text, piece) {
			return piece
		}
	}
	return ""
}

func TestNoPieceOfAPasswordIsShown(t *testing.T) {
	t.Parallel()
	for _, form := range passwordForms() {
		shown, _ := sql.RedactDSN(form.dsn)
		if piece := form.piece(shown); piece != "" {
			t.Errorf("RedactDSN(%q) is %q, which shows %q", form.dsn, shown, piece)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		pool, err := sql.Connect(ctx, form.dsn, sql.PoolOptions{})
		cancel()
		if err == nil {
			pool.Close()
			t.Errorf("Connect(%q) is connected", form.dsn)
			continue
		}
		if piece := form.piece(err.Error()); piece != "" {
			t.Errorf("Connect(%q) returns %q, which shows %q", form.dsn, err, piece)
		}
	}
}

func TestRedactDSN(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ dsn, want string }{
		{"postgres://me:geheim@db:5432/app", "postgres://me:[REDACTED]@db:5432/app"},
		{"postgres://me:ge%40he:im@db,db2:5433/app", "postgres://me:[REDACTED]@db,db2:5433/app"},
		{"postgres://me%40server:@[::1]:5432/app", "postgres://me%40server:[REDACTED]@[::1]:5432/app"},
		{"postgresql://me@db/app?password=geheim&sslmode=require", "postgresql://me@db/app?password=[REDACTED]&sslmode=require"},
		{"postgres://db/app?sslpassword=geheim&passfile=/run/pass", "postgres://db/app?sslpassword=[REDACTED]&passfile=/run/pass"},
		{"postgres://db/app?Password=geheim", "postgres://db/app?Password=[REDACTED]"},
		{"postgres://db/app?options=-csearch_path%3Dgeheim", "postgres://db/app?options=[REDACTED]"},
		{"postgres:///app?host=%2Ftmp%2Fs&port=5432", "postgres:///app?host=%2Ftmp%2Fs&port=5432"},
		{"postgres://", "postgres://"},
		{"host=db user=me password=geheim dbname=app", "host=db user=me password=[REDACTED] dbname=app"},
		{"password = 'ge heim' host=db", "password=[REDACTED] host=db"},
		{`password='ge\'heim' host=db`, "password=[REDACTED] host=db"},
		{`password=ge\ heim host=db`, "password=[REDACTED] host=db"},
		{"sslpassword=geheim passfile='/run/my pass' host=db", "sslpassword=[REDACTED] passfile='/run/my pass' host=db"},
		{"PASSWORD=geheim host=db", "PASSWORD=[REDACTED] host=db"},
	} {
		if got, ok := sql.RedactDSN(test.dsn); got != test.want || !ok {
			t.Errorf("RedactDSN(%q) is %q, %v, want %q", test.dsn, got, ok, test.want)
		}
	}
}
