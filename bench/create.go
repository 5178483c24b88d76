package bench

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
)

// create creates tasks of the named shapes in one transaction, with a statement for those of each shape.
func create(ctx context.Context, pool *pgxpool.Pool, names []string) (ids []int64, err error) {
	names = slices.Sorted(slices.Values(names))
	tasks := make([]sql.NewTask, len(names))
	for i, name := range names {
		tasks[i] = sql.NewTask{
			Namespace: Namespace, Name: name, Version: Version, Context: json.RawMessage(`{"n": 1}`),
			Initiator: "bench",
		}
	}
	store := sql.NewStore(pool)
	if len(names) == 0 || names[0] == names[len(names)-1] {
		return store.CreateTasks(ctx, pool, tasks) // a statement is a transaction
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		ids, err = store.CreateTasks(ctx, tx, tasks)
		return err
	})
	return ids, err
}
