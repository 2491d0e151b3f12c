package main

import "github.com/culmhq/culm/pdk"

// TicketIn opens a ticket.
type TicketIn struct {
	// What it is about, in one line.
	Title string `json:"title" jsonschema:"minLength=1,maxLength=200"`
	// How bad it is.
	Severity string `json:"severity,omitempty" choices:"low:Low|medium:Medium|high:High|critical:Critical"`
	// The details.
	Body string `json:"body,omitempty" title:"Details" jsonschema:"maxLength=16384" ui:"widget=textarea"`
}

// TicketOut identifies the ticket.
type TicketOut struct {
	// The id of the ticket.
	ID string `json:"id"`
	// The page of the ticket.
	URL string `json:"url" title:"Address"`
}

func openTicket(c *pdk.Ctx, in TicketIn) (TicketOut, error) {
	var reply TicketOut
	if err := c.Gateway(system, "open_ticket", nil, in, &reply); err != nil {
		return TicketOut{}, err
	}
	c.Info("ticket %s", reply.ID)
	return reply, nil
}
