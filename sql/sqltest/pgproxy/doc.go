// Package pgproxy stands between a worker under test and PostgreSQL, and loses what a network loses: a statement before the
// server has it, or the answer to it once the server has committed. It reads enough of the protocol to know which statement
// a connection executes.
//
//	proxy := pgproxy.Start(t, pool)
//	cut := proxy.Cut(pgproxy.Cut{Match: pgproxy.Contains("tasker.claim_steps("), When: pgproxy.AfterCommit})
//	// a worker runs on proxy.URL()
//	<-cut.Made()
package pgproxy
