package main

import (
	"errors"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// ExpireIn ends a silence. One that has ended already is left as it is.
type ExpireIn struct {
	// The id of the silence.
	SilenceID string `json:"silence_id" title:"Silence" jsonschema:"minLength=1,maxLength=64"`
}

// ExpireOut says what was done.
type ExpireOut struct {
	// The id of the silence.
	SilenceID string `json:"silence_id" title:"Silence"`
	// Whether it had ended before.
	Already bool `json:"already" title:"Had ended already"`
}

// expire looks before it acts, because Alertmanager answers the end of an expired silence
// with an error in some versions and not in others; and looks again when the answer
// is an error, because somebody else may have ended it meanwhile.
func expire(c *pdk.Ctx, in ExpireIn) (ExpireOut, error) {
	out := ExpireOut{SilenceID: in.SilenceID}
	state, err := stateOf(c, in.SilenceID)
	if err != nil {
		return out, err
	}
	if state == "expired" {
		out.Already = true
		return out, nil
	}
	err = c.Gateway(system, "expire_silence", pdk.Params{"id": in.SilenceID}, nil, nil)
	if f, ok := errors.AsType[*contract.Failure](err); ok && f.Code == pdk.CodeStatus {
		if state, _ := stateOf(c, in.SilenceID); state == "expired" {
			out.Already = true
			return out, nil
		}
	}
	if err != nil {
		return out, err
	}
	c.Info("silence %s expired", in.SilenceID)
	return out, nil
}

func stateOf(c *pdk.Ctx, id string) (string, error) {
	var s silence
	err := c.Gateway(system, "get_silence", pdk.Params{"id": id}, nil, &s)
	if f, ok := errors.AsType[*contract.Failure](err); ok && f.HTTPStatus == 404 {
		f.Code, f.Message = "SILENCE_NOT_FOUND", "Alertmanager has no silence "+id+"; it forgets expired ones after some days"
	}
	return s.state(), err
}
