package entra

// The built-in directory roles that matter to the hub's own app and to who signs in for it, by the template id that
// stands in a token's wids.
// https://learn.microsoft.com/en-us/entra/identity/role-based-access-control/permissions-reference
var directoryRoles = map[string]string{
	"62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
	"7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
	"fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
	"29232cdf-9323-42fd-ade2-1d097af3e4de": "Exchange Administrator",
	"c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
}

// DirectoryRoles names those of the app's directory roles that the hub knows.
func (r Rights) DirectoryRoles() []string {
	var names []string
	for _, id := range r.Wids {
		if name := directoryRoles[id]; name != "" {
			names = append(names, name)
		}
	}
	return names
}
