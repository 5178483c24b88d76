// Package devdb runs a private PostgreSQL for the demo, the tests and the benchmarks, from the binaries that the system
// already has. Each server has a folder and a Unix socket of its own, belongs to the process that started it, ends
// with it even on kill -9, and works for root too, where PostgreSQL itself refuses to run.
//
//	server, err := devdb.Start(ctx, devdb.Options{})
//	if err != nil { ... }
//	defer server.Stop()
//	pool, err := pgxpool.New(ctx, server.URL("postgres"))
//
// It is not for production: by default it never syncs to disk, and what it stores goes with it.
package devdb
