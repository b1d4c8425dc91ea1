package console

import (
	"slices"
	"strings"

	"responsehub"
)

// pick finds the tenant that somebody typed in: by id, by name, or by a part of its name
// that no other has. A list of thousands is of use to nobody, so that names are typed.
func pick(tenants []responsehub.Tenant, typed string) (responsehub.Tenant, error) {
	typed = strings.TrimSpace(typed)
	is := func(t responsehub.Tenant) bool { return t.Known(typed) || strings.EqualFold(t.Name, typed) }
	if i := slices.IndexFunc(tenants, is); i >= 0 && typed != "" {
		return tenants[i], nil
	}
	var like []string
	var last responsehub.Tenant
	for _, t := range tenants {
		if typed != "" && strings.Contains(strings.ToLower(t.Name), strings.ToLower(typed)) {
			like, last = append(like, t.Name), t
		}
	}
	switch {
	case typed == "":
		return last, &responsehub.Error{Kind: responsehub.Invalid, Message: "Type the tenant's name."}
	case len(like) == 0:
		return last, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no tenant with “" + limit(typed, 60) + "” in its name."}
	case len(like) > 1:
		return last, &responsehub.Error{Kind: responsehub.Conflict, Message: count(len(like), "tenant has", "tenants have") + " “" + limit(typed, 60) + "” in the name: " + someOf(like) + ". Type more of it."}
	}
	return last, nil
}

// someOf names the first few.
func someOf(names []string) string {
	const shown = 5
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + " and more"
	}
	return strings.Join(names, ", ")
}

// toPick are the tenants that a field offers to pick from.
func toPick(tenants []responsehub.Tenant) []responsehub.Tenant {
	if len(tenants) > tenantsToPick {
		return nil
	}
	return tenants
}
