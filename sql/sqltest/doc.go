// Package sqltest gives each test a PostgreSQL database of its own, cloned in milliseconds from a template that has
// the whole schema. Where TASKER_TEST_DATABASE_URL names a server (as a superuser, in URL form), that one is used and
// the template is shared with other test binaries; otherwise each binary starts a private one on first use.
//
//	func TestMain(m *testing.M) { sqltest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		pool := sqltest.New(t)
//		...
//	}
package sqltest
