package memory_test

import (
	"testing"

	"github.com/culmhq/culm/engine/memory"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/engine/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Driver{Open: func(*testing.T) runner.Store { return memory.New() }})
}
