package exchange

import (
	"context"

	"responsehub/connectors/entra"
)

// FreshRights returns what a token for Exchange made just now may do. A tenant without
// Exchange Online is a NotFound error.
func (c *Client) FreshRights(ctx context.Context, tenant string) (entra.Rights, error) {
	if _, err := c.token(ctx, tenant); err != nil {
		return entra.Rights{}, err
	}
	return c.login.FreshRights(ctx, tenant, c.login.Cloud().Exchange)
}

// Answers runs the smallest cmdlet that needs the role which the others need.
// https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/get-organizationconfig
func (c *Client) Answers(ctx context.Context, tenant string) error {
	_, err := c.run(ctx, cmdlet{name: "Get-OrganizationConfig", parameters: map[string]any{}, tenant: tenant, op: "reach Exchange Online"})
	return err
}
