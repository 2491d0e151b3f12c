package systems

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/pdk/contract"
)

//go:embed data/openapi/*.yaml
var contracts embed.FS

// Contract is the OpenAPI document of a system that comes with the program, and what such a
// document cannot say.
type Contract struct {
	ID    string        `json:"id"`
	Title contract.Text `json:"title"`
	Doc   contract.Text `json:"doc,omitzero"`
	// Auth, Limits and Success are those that a system made from it starts with.
	Auth    Auth    `json:"auth,omitzero"`
	Limits  Limits  `json:"limits,omitzero"`
	Success Success `json:"success,omitzero"`
	// Document is the OpenAPI document; empty in a list.
	Document []byte `json:"-"`
}

// Contracts lists the shipped contracts by id, without their documents.
func Contracts() ([]Contract, error) {
	data, err := contracts.ReadFile("data/openapi/contracts.yaml")
	if err != nil {
		return nil, fmt.Errorf("systems: read the list of contracts: %w", err)
	}
	var all struct {
		Contracts []Contract `json:"contracts"`
	}
	if _, err := document.Decode(data, &all); err != nil {
		return nil, fmt.Errorf("systems: data/openapi/contracts.yaml: %w", err)
	}
	slices.SortFunc(all.Contracts, func(a, b Contract) int { return strings.Compare(a.ID, b.ID) })
	return all.Contracts, nil
}

// ContractOf returns a shipped contract with its document, or false.
func ContractOf(id string) (Contract, bool, error) {
	all, err := Contracts()
	if err != nil {
		return Contract{}, false, err
	}
	i := slices.IndexFunc(all, func(c Contract) bool { return c.ID == id })
	if i < 0 {
		return Contract{}, false, nil
	}
	c := all[i]
	c.Document, err = contracts.ReadFile("data/openapi/" + c.ID + ".openapi.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return Contract{}, false, nil
	}
	if err != nil {
		return Contract{}, false, fmt.Errorf("systems: read a contract: %w", err)
	}
	return c, true, nil
}
