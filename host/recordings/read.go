package recordings

import (
	"context"
	"strconv"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/replay"
)

// List returns a page of the recordings of a node, the oldest first; none for a node or
// run that there is not.
func (k *Keeper) List(ctx context.Context, project, run, node string, q page.Query) (page.Of[Meta], error) {
	limit, err := q.Size()
	if err != nil {
		return page.Of[Meta]{}, err
	}
	var after int64
	if _, err := q.After(&after); err != nil {
		return page.Of[Meta]{}, err
	}
	k.flush(ctx)
	list, err := k.o.Repository.Recordings(ctx, project, run, node, after, limit+1)
	if err != nil {
		return page.Of[Meta]{}, fault.Wrap("list recordings", err)
	}
	return page.Cut(list, limit, func(m Meta) any {
		id, _ := strconv.ParseInt(m.ID, 10, 64)
		return id
	})
}

// Get returns a recording, or a fault.NotFound.
func (k *Keeper) Get(ctx context.Context, project, run, node, id string) (View, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return View{}, fault.Missing("recording", id)
	}
	k.flush(ctx)
	row, err := k.o.Repository.Recording(ctx, project, run, node, n)
	if err != nil {
		return View{}, fault.Wrap("read recording "+id, err)
	}
	v := View{Meta: row.Meta, Recording: &replay.Recording{}}
	if err := decode(row.Body, v.Recording); err != nil {
		return View{}, fault.Wrap("decode recording "+id, err)
	}
	return v, nil
}
