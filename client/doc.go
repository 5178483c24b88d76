// Package client creates and reads tasks from Go.
//
// Create works in the caller's own transaction, so that the task exists if and only if the rest of the transaction
// does:
//
//	tasks := client.New(pool)
//	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
//		// ... the app's own statements ...
//		_, err := tasks.Create(ctx, tx, client.NewTask{
//			Namespace: "ecommerce", Name: "process_order", Version: "1.0.0",
//			Context: json.RawMessage(`{"order_id": 7}`),
//		})
//		return err
//	})
//
// A worker starts the task within milliseconds of the commit.
package client
