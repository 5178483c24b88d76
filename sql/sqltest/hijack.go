package sqltest

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Hijack puts functions, operators, domains and a cast into the schema public of a test's database that fail when they are called.
func Hijack(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), hijackSQL); err != nil {
		t.Fatal(err)
	}
}

// hijackSQL is what a role does that may create objects in a schema of the search_path: whatever is looked up by name there fits
// the arguments better than PostgreSQL's own. All of it fails, and says so.
const hijackSQL = `
SET search_path = pg_catalog;
CREATE FUNCTION public.caught() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
DO $do$
DECLARE
    v_type text;
    v_other text;
    v_name text;
    v_types constant text[] := ARRAY['varchar', 'text', 'bigint', 'integer', 'smallint', 'bigint[]', 'integer[]', 'text[]', 'varchar[]', 'jsonb',
        'boolean', 'timestamp', 'timestamptz', 'interval', 'numeric', 'double precision', 'uuid', 'bytea', 'bit', 'tasker.river_job_state',
        'tasker.river_job'];
BEGIN
    FOREACH v_type IN ARRAY v_types LOOP
        FOREACH v_other IN ARRAY v_types LOOP
            EXECUTE format('CREATE FUNCTION public.compared(%s, %s) RETURNS boolean LANGUAGE sql AS $$ SELECT public.caught() IS NULL $$', v_type, v_other);
            FOREACH v_name IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>=', '?', '~', '~~'] LOOP
                EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, PROCEDURE = public.compared)', v_name, v_type, v_other);
            END LOOP;
            EXECUTE format('CREATE FUNCTION public.joined(%s, %s) RETURNS %1$s LANGUAGE sql AS $$ SELECT NULL::%1$s WHERE public.caught() IS NULL $$',
                v_type, v_other);
            FOREACH v_name IN ARRAY ARRAY['+', '-', '*', '/', '||', '->', '->>'] LOOP
                EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, PROCEDURE = public.joined)', v_name, v_type, v_other);
            END LOOP;
            FOREACH v_name IN ARRAY ARRAY['array_remove', 'array_append', 'array_position', 'format', 'concat', 'jsonb_build_object', 'json_build_object',
                'array_fill', 'power', 'array_upper', 'array_length', 'left', 'get_bit'] LOOP
                EXECUTE format('CREATE FUNCTION public.%s(%s, %s) RETURNS text LANGUAGE sql AS $$ SELECT public.caught() $$', v_name, v_type, v_other);
            END LOOP;
        END LOOP;
        FOREACH v_name IN ARRAY ARRAY['unnest', 'cardinality', 'to_jsonb', 'to_json', 'jsonb_typeof', 'jsonb_each', 'jsonb_array_elements', 'length',
            'octet_length', 'abs', 'ceil', 'min', 'max', 'count', 'array_agg', 'jsonb_agg', 'clock_timestamp', 'hashtextextended'] LOOP
            EXECUTE format('CREATE FUNCTION public.%s(%s) RETURNS text LANGUAGE sql AS $$ SELECT public.caught() $$', v_name, v_type);
        END LOOP;
    END LOOP;
    FOREACH v_name IN ARRAY ARRAY['now', 'clock_timestamp', 'pg_postmaster_start_time', 'gen_random_uuid', 'random'] LOOP
        EXECUTE format('CREATE FUNCTION public.%s() RETURNS timestamptz LANGUAGE sql AS $$ SELECT public.caught()::timestamptz $$', v_name);
    END LOOP;
    CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.caught() IS NULL);
    CREATE DOMAIN public.jsonb AS pg_catalog.jsonb CHECK (public.caught() IS NULL);
    CREATE TYPE public.regclass AS (x integer);
    CREATE CAST (public.regclass AS pg_catalog.text) WITH INOUT AS IMPLICIT;
END
$do$;
RESET search_path`
