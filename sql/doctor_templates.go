package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/templates"
)

// changedTemplates finds the templates that the database has otherwise than the files say.
func changedTemplates(all []*templates.Template) func(context.Context, *pgxpool.Pool) ([]Finding, error) {
	return func(ctx context.Context, pool *pgxpool.Pool) (found []Finding, err error) {
		for _, t := range all {
			stored, err := readStored(ctx, pool, t)
			if errors.Is(err, pgx.ErrNoRows) {
				continue // it is not synced yet
			}
			if err != nil {
				return nil, err
			}
			differences, err := differencesOf(ctx, pool, t, stored)
			if err != nil {
				return nil, err
			}
			if len(differences) > 0 {
				found = append(found, changedTemplate(t, stored.digest == t.Digest(), differences))
			}
		}
		return found, nil
	}
}

func changedTemplate(t *templates.Template, synced bool, differences []string) Finding {
	f := Finding{
		Kind:   FindingChangedTemplate,
		Object: t.Ref(),
		What:   fmt.Sprintf("Template %s is not in the database as in %s: %s.", t.Ref(), t.File, strings.Join(differences, "; ")),
		Costs:  "Its tasks run what the database says.",
		Do:     "Give the change a new version, or run `tasker-worker template sync --replace`.",
	}
	if synced {
		f.What += " It is not what was synced either: somebody else has written it."
		f.Costs = "Its tasks run what that somebody wrote, but commands only if a worker's own templates name them."
		f.Do = "Find out who wrote there, and run `tasker-worker template sync`."
	}
	return f
}
