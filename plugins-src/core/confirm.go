package main

import (
	"encoding/json"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// ConfirmIn asks a person to approve before the flow goes on. A refusal fails the node.
type ConfirmIn struct {
	// What the person is asked. It may name values of the flow: ${...}.
	Prompt string `json:"prompt" title:"Question" jsonschema:"minLength=1,maxLength=2000" ui:"widget=textarea"`
	// A JSON Schema of further answers to ask for: an object whose properties become
	// fields of the form.
	Form map[string]any `json:"form,omitempty" title:"Further questions" ui:"widget=json;advanced"`
}

// ConfirmOut is what the person answered.
type ConfirmOut struct {
	// Whether the person approved.
	Approved bool `json:"approved"`
	// What the person remarked.
	Comment string `json:"comment,omitempty"`
	// The answers to the further questions.
	Answers map[string]any `json:"answers,omitempty"`
}

// questions is the form that the person fills in, without the further questions.
const questions = `{
	"approved": {"type": "boolean", "title": "Approve", "ui:i18n": {"zh": {"title": "同意"}}},
	"comment": {"type": "string", "title": "Comment", "maxLength": 2000, "ui:widget": "textarea", "ui:i18n": {"zh": {"title": "备注"}}}
}`

func confirm(_ *pdk.Ctx, in ConfirmIn) (ConfirmOut, error) {
	var properties map[string]json.RawMessage
	if err := json.Unmarshal([]byte(questions), &properties); err != nil {
		return ConfirmOut{}, err
	}
	required := []string{"approved"}
	if in.Form != nil {
		if in.Form["type"] != "object" {
			return ConfirmOut{}, pdk.InvalidInput("form", "must be a JSON Schema of type object")
		}
		form, err := json.Marshal(in.Form)
		if err != nil {
			return ConfirmOut{}, err
		}
		properties["answers"] = form
		required = append(required, "answers")
	}
	schema, err := json.Marshal(map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false,
	})
	if err != nil {
		return ConfirmOut{}, err
	}
	return ConfirmOut{}, pdk.Ask(contract.T(in.Prompt), schema, nil)
}

func confirmed(c *pdk.Ctx, _ ConfirmIn) (out ConfirmOut, err error) {
	if err := c.Callback(&out); err != nil {
		return out, err
	}
	if !out.Approved {
		if out.Comment != "" {
			return out, pdk.Fail("REJECTED", "refused: %s", out.Comment)
		}
		return out, pdk.Fail("REJECTED", "refused")
	}
	return out, nil
}
