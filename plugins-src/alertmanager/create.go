package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/culmhq/culm/pdk"
)

// CreateIn creates a silence: alerts for which all matchers hold notify nobody.
//
// Rolling it back expires the silence.
type CreateIn struct {
	// Which alerts; all matchers must hold.
	Matchers []Matcher `json:"matchers" jsonschema:"minItems=1,maxItems=256" ui:"widget=table"`
	// How long the silence lasts, for example 2h.
	Duration pdk.Duration `json:"duration,omitempty"`
	// When it begins; empty is now.
	StartsAt *time.Time `json:"starts_at,omitempty" title:"Start" ui:"advanced"`
	// Why, for the people who find it.
	Comment string `json:"comment" jsonschema:"minLength=1,maxLength=4096"`
	// Who is named as its author; empty is the operator of the run.
	CreatedBy string `json:"created_by,omitempty" title:"Author" jsonschema:"maxLength=256" ui:"advanced"`
}

// CreateOut identifies the silence.
type CreateOut struct {
	// The id of the silence.
	SilenceID string `json:"silence_id" title:"Silence"`
	// When it begins.
	StartsAt time.Time `json:"starts_at" title:"Start"`
	// When it ends.
	EndsAt time.Time `json:"ends_at" title:"End"`
}

// create makes the silence, or first lets the host remember when it begins: if the server
// stops in the middle, the same request is made again, and no second silence.
func create(c *pdk.Ctx, in CreateIn) (CreateOut, error) {
	if _, err := in.wire(); err != nil {
		return CreateOut{}, err
	}
	if in.StartsAt == nil {
		return CreateOut{}, pdk.Timer(0, c.Now())
	}
	return createAt(c, in, *in.StartsAt)
}

func createNow(c *pdk.Ctx, in CreateIn) (CreateOut, error) {
	var start time.Time
	if err := c.State(&start); err != nil {
		return CreateOut{}, err
	}
	return createAt(c, in, start)
}

// wire translates the matchers and checks what the schema cannot.
func (in CreateIn) wire() ([]matcher, error) {
	if in.Duration == 0 {
		return nil, pdk.InvalidInput("duration", "must be longer than 0s")
	}
	var all []matcher
	for i, m := range in.Matchers {
		w, err := m.wire(fmt.Sprintf("matchers.%d", i))
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

func createAt(c *pdk.Ctx, in CreateIn, start time.Time) (CreateOut, error) {
	matchers, err := in.wire()
	if err != nil {
		return CreateOut{}, err
	}
	s := silence{
		Matchers: matchers, StartsAt: start.UTC(), EndsAt: start.UTC().Add(time.Duration(in.Duration)),
		CreatedBy: cmp.Or(in.CreatedBy, c.Run().Operator, "culm"), Comment: in.Comment,
	}
	var reply struct {
		SilenceID string `json:"silenceID"`
	}
	if err := c.Gateway(system, "create_silence", nil, s, &reply); err != nil {
		return CreateOut{}, err
	}
	if reply.SilenceID == "" {
		return CreateOut{}, pdk.Fail(pdk.CodeAnswer, "Alertmanager answered without the id of a silence")
	}
	c.Info("silence %s until %s", reply.SilenceID, s.EndsAt.Format(time.RFC3339))
	return CreateOut{SilenceID: reply.SilenceID, StartsAt: s.StartsAt, EndsAt: s.EndsAt}, nil
}

func undoCreate(c *pdk.Ctx, _ CreateIn, out CreateOut) error {
	_, err := expire(c, ExpireIn{SilenceID: out.SilenceID})
	return err
}
