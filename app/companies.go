package app

import (
	"context"

	"responsehub"
	"responsehub/ticket"
)

// companies are those of the connections' ticket systems.
type companies map[string]ticket.Connection

// Companies lists those of a connection whose name contains the text.
func (c companies) Companies(ctx context.Context, connection, text string) ([]ticket.Company, error) {
	desk := c[connection].Desk
	if desk == nil {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such ticket system."}
	}
	return desk.Companies(ctx, text)
}
