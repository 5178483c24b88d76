// Package sql knows the database: the schema that is shared with the Rails engine, the worker's own objects in the
// schema tasker, and the typed queries over both. It is the only package that knows the name of a table.
//
// [Connect] opens a pool whose sessions suit the schema, [Migrate] creates or adopts what is needed, [Check] says
// whether a database is ready for this binary, and a [Store] runs the queries. What happens to a task is decided in
// SQL functions, under the task's lock; Go only calls them.
package sql
