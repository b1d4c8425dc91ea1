package responsehub

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Limits of what one tenant or person may hold, so that a slip of the pen fills neither
// the directory nor a page.
const (
	maxNames  = 200 // characters
	maxListed = 1000
)

var (
	e164    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	address = regexp.MustCompile(`^[^@\s<>,;"]{1,64}@[^@\s<>,;"]{1,255}$`)
	plainID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	channel = regexp.MustCompile(`^(19|a):[^\s/?#;]{1,200}$`)
)

// Check returns nil for a person who can be stored, and otherwise an Invalid [Error]
// whose Pointer is the JSON pointer of the first faulty field.
func (p *Person) Check() error {
	switch {
	case !plainID.MatchString(p.ID):
		return faulty("/id", "A person's id has letters, digits, dots and dashes only, such as ann or ann.lee.")
	case strings.TrimSpace(p.Name) == "" || len(p.Name) > maxNames:
		return faulty("/name", "A person needs a name.")
	case !slices.Contains(Roles, p.Role):
		return faulty("/role", "The role must be admin, responder, reader or guest.")
	case p.EntraObjectID != "" && !objectID.MatchString(p.EntraObjectID):
		return faulty("/entra_object_id", "An Entra object id is a GUID; the person reads it with \"whoami\" in the bot's chat.")
	case p.Phone != "" && !e164.MatchString(p.Phone):
		return faulty("/phone", "A phone number starts with + and the country code and has digits only, such as +15550100.")
	case p.Email != "" && !address.MatchString(p.Email):
		return faulty("/email", "That is no mail address.")
	case len(p.Tenants) == 0:
		return faulty("/tenants", "A person needs tenants, or * for all.")
	case p.Role == Guest && slices.Contains(p.Tenants, "*"):
		return faulty("/tenants", "A guest sees named tenants only.")
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil {
		return faulty("/time_zone", "There is no such time zone. Use a name such as Europe/Berlin.")
	}
	return nil
}

// Check returns nil for a tenant that can be stored, and otherwise an Invalid [Error]
// whose Pointer is the JSON pointer of the first faulty field. known reports whether a
// person exists.
func (t *Tenant) Check(known func(person string) bool) error {
	switch {
	case strings.TrimSpace(t.Name) == "" || len(t.Name) > maxNames:
		return faulty("/name", "A tenant needs a name.")
	case !objectID.MatchString(t.MicrosoftTenantID):
		return faulty("/microsoft_tenant_id", "Microsoft's tenant id is a GUID.")
	case t.LockGroup != "" && !objectID.MatchString(t.LockGroup):
		return faulty("/lock_group", "The object id of a group is a GUID.")
	case t.PasswordMode != "" && !slices.Contains(PasswordModes, t.PasswordMode):
		return faulty("/password_mode", "The password mode must be cloud, writeback or manual.")
	case t.Limits.AutomaticLocksPerHour != nil && (*t.Limits.AutomaticLocksPerHour < 0 || *t.Limits.AutomaticLocksPerHour > 1000):
		return faulty("/automatic_locks_per_hour", "The limit must be a whole number from 0 to 1000.")
	}
	switch {
	case t.Product != "" && !slices.Contains(Products, t.Product):
		return faulty("/product", "The product must be response or notify.")
	case t.Response && !t.Automatic():
		return faulty("/response", "Response is not part of the product notify. Switch the product first.")
	}
	for i, name := range t.BreakGlass {
		if !NamesAccount(name) || i >= maxListed {
			return faulty(fmt.Sprintf("/break_glass/%d", i), "An account is named by its principal name (pat@contoso.com) or its object id.")
		}
	}
	for i, name := range t.SecondPersonFor {
		if name != Admins && !NamesAccount(name) || i >= maxListed {
			return faulty(fmt.Sprintf("/second_person_for/%d", i), "An account is named by its principal name or its object id; \"admins\" means all with a directory role.")
		}
	}
	return t.Notify.check(t, known)
}

func (n *Notify) check(t *Tenant, known func(string) bool) error {
	for i, id := range n.Teams {
		if !channel.MatchString(id) {
			return faulty(fmt.Sprintf("/notify/teams/%d", i), "A Teams channel is named by its id, 19:...@thread.tacv2; the bot's installation shows it.")
		}
	}
	for i, a := range n.Mail {
		if !address.MatchString(a) {
			return faulty(fmt.Sprintf("/notify/mail/%d", i), fmt.Sprintf("%.60q is no mail address.", a))
		}
	}
	for _, list := range [][]string{n.Slack, n.Webhooks} {
		for i, a := range list {
			if !strings.HasPrefix(a, "https://") {
				return faulty(fmt.Sprintf("/notify/webhooks/%d", i), "A webhook's address begins with https://.")
			}
		}
	}
	for i, d := range n.PSA {
		if first, _ := n.PSA[:i].At(d.Connection); d.Connection == "" || first.Connection != "" {
			return faulty(fmt.Sprintf("/notify/psa/%d/connection", i), "Each ticket system is named once, by its connection.")
		}
	}
	if n.Phone == nil {
		return nil
	}
	if len(n.Phone.Sequence) == 0 {
		return faulty("/notify/phone/sequence", "A phone sequence needs at least one person.")
	}
	for i, id := range n.Phone.Sequence {
		_, scheduled := n.Phone.Schedule(id)
		if !scheduled && !known(id) {
			return faulty(fmt.Sprintf("/notify/phone/sequence/%d", i), fmt.Sprintf("There is no person %.40q.", id))
		}
	}
	if err := n.Phone.check(known); err != nil {
		return err
	}
	switch {
	case n.Phone.Wait < 30*time.Second || n.Phone.Wait > time.Hour:
		return faulty("/notify/phone/wait", "The wait for the next person is between 30 seconds and an hour.")
	case n.Phone.Rounds < 1 || n.Phone.Rounds > 20:
		return faulty("/notify/phone/rounds", "There are 1 to 20 rounds.")
	}
	return nil
}

// check looks at the times, of which 0 is the usual one, and the schedules.
func (o *OnCall) check(known func(string) bool) error {
	for _, t := range []struct {
		name            string
		is, least, most time.Duration
		words           string
	}{
		{"ring", o.Ring, 5 * time.Second, 2 * time.Minute, "A phone rings for 5 seconds to 2 minutes."},
		{"redial", o.Redial, 10 * time.Second, time.Hour, "A call is repeated after 10 seconds to an hour."},
		{"nobody", o.Nobody, time.Minute, 24 * time.Hour, "That nobody was reached is said after one minute to 24 hours."},
		{"start", o.Start, time.Minute, 24 * time.Hour, "People are called again after one minute to 24 hours."},
	} {
		if t.is != 0 && (t.is < t.least || t.is > t.most) {
			return faulty("/notify/phone/"+t.name, t.words)
		}
	}
	for i := range o.Schedules {
		if err := o.Schedules[i].check(fmt.Sprintf("/notify/phone/schedules/%d", i), known); err != nil {
			return err
		}
		if slices.ContainsFunc(o.Schedules[:i], func(s Schedule) bool { return s.ID == o.Schedules[i].ID }) {
			return faulty(fmt.Sprintf("/notify/phone/schedules/%d/id", i), "This schedule is there twice.")
		}
	}
	return nil
}

func (s *Schedule) check(at string, known func(string) bool) error {
	switch why := s.Check(); {
	case !plainID.MatchString(s.ID):
		return faulty(at+"/id", "A schedule's id has letters, digits, dots and dashes only.")
	case known(s.ID):
		return faulty(at+"/id", "This is the id of a person too.")
	case why != "":
		return faulty(at, fmt.Sprintf("The schedule %s %s.", s.ID, why))
	}
	for i, l := range s.Layers {
		for n, id := range l.People {
			if !known(id) {
				return faulty(fmt.Sprintf("%s/layers/%d/people/%d", at, i, n), fmt.Sprintf("There is no person %.40q.", id))
			}
		}
	}
	for i, o := range s.Overrides {
		if !known(o.Person) {
			return faulty(fmt.Sprintf("%s/overrides/%d/person", at, i), fmt.Sprintf("There is no person %.40q.", o.Person))
		}
	}
	return nil
}

func faulty(pointer, sentence string) error {
	return &Error{Kind: Invalid, Pointer: pointer, Message: sentence}
}
