package sql

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// takeJSONAsItIs has sessions hand JSON into a [json.RawMessage] without a look at it. PostgreSQL has checked it, and Go would
// refuse what is nested deeper than 10,000 levels, which jsonb holds: one such row would cost all that are read with it.
// What no handler can read is found by engine.CheckReadable, for each step on its own.
func takeJSONAsItIs(next func(context.Context, *pgx.Conn) error) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		types := conn.TypeMap()
		types.RegisterType(&pgtype.Type{
			Name: "json", OID: pgtype.JSONOID, Codec: &pgtype.JSONCodec{Marshal: json.Marshal, Unmarshal: unmarshalJSON},
		})
		types.RegisterType(&pgtype.Type{
			Name: "jsonb", OID: pgtype.JSONBOID, Codec: &pgtype.JSONBCodec{Marshal: json.Marshal, Unmarshal: unmarshalJSON},
		})
		if next == nil {
			return nil
		}
		return next(ctx, conn)
	}
}

func unmarshalJSON(data []byte, into any) error {
	if raw, ok := into.(*json.RawMessage); ok {
		*raw = append(json.RawMessage{}, data...)
		return nil
	}
	return json.Unmarshal(data, into)
}
