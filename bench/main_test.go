package bench

import (
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestMain(m *testing.M) { sqltest.Main(m) }
