package tenant

import "strings"

// Group is a security group of the cloud.
type Group struct {
	ID      string   `json:"id"`
	Name    string   `json:"display_name"`
	Members []string `json:"members"` // object ids of users
	// RoleAssignable: directory roles can be given to it, so that its members are changed with
	// RoleManagement.ReadWrite.Directory only.
	RoleAssignable bool `json:"is_assignable_to_role"`
}

// AddGroup adds an empty group.
func (t *Tenant) AddGroup(name string) *Group {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	g := &Group{ID: t.w.newID("group"), Name: name}
	t.Groups = append(t.Groups, g)
	return g
}

// FindGroup returns the group with this object id, or nil. The caller holds the lock.
func FindGroup(t *Tenant, id string) *Group {
	for _, g := range t.Groups {
		if strings.EqualFold(g.ID, id) {
			return g
		}
	}
	return nil
}
