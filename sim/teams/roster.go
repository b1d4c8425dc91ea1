package teams

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// account is a person as the connector tells of them.
func (s *Service) account(p Person) map[string]any {
	given, family, _ := strings.Cut(p.Name, " ")
	return map[string]any{
		"id": p.MRI(), "name": p.Name, "givenName": given, "surname": family, "email": p.Mail, "userPrincipalName": p.Mail,
		"tenantId": s.cfg.TenantID, "userRole": "user", "objectId": p.EntraID, "aadObjectId": p.EntraID,
	}
}

func (s *Service) members(r *http.Request) (base string, people []Person, bad *refusal) {
	base, _, bad = s.conversation(r)
	if bad != nil {
		return "", nil, bad
	}
	if bad := s.throttle("members "+base, memberRules); bad != nil {
		return "", nil, bad
	}
	s.mu.Lock()
	c := s.convs[base]
	s.mu.Unlock()
	if c.kind == "channel" {
		return base, s.cfg.People, nil
	}
	p, err := s.person(c.person)
	if err != nil {
		return "", nil, refuse("ServiceError", err.Error())
	}
	return base, []Person{p}, nil
}

func (s *Service) listMembers(w http.ResponseWriter, r *http.Request) *refusal {
	_, people, bad := s.members(r)
	if bad != nil {
		return bad
	}
	out := []any{}
	for _, p := range people {
		out = append(out, s.account(p))
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

func (s *Service) pageMembers(w http.ResponseWriter, r *http.Request) *refusal {
	_, people, bad := s.members(r)
	if bad != nil {
		return bad
	}
	size, from := len(people), 0
	if v := r.URL.Query().Get("pageSize"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return refuse("BadArgument", "pageSize is not a number above 0")
		}
		size = n
	}
	if v := r.URL.Query().Get("continuationToken"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > len(people) {
			return refuse("BadArgument", "continuationToken is not one of ours")
		}
		from = n
	}
	to := min(len(people), from+min(size, len(people)))
	page := map[string]any{}
	accounts := []any{}
	for _, p := range people[from:to] {
		accounts = append(accounts, s.account(p))
	}
	page["members"] = accounts
	if to < len(people) {
		page["continuationToken"] = strconv.Itoa(to)
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

func (s *Service) getMember(w http.ResponseWriter, r *http.Request) *refusal {
	_, people, bad := s.members(r)
	if bad != nil {
		return bad
	}
	p, ok := s.member(r.PathValue("member"))
	if !ok || !slices.Contains(people, p) {
		bad := refuse("BadArgument", "The member was not found in the conversation roster.")
		bad.status, bad.code = http.StatusNotFound, "MemberNotFoundInConversation"
		return bad
	}
	writeJSON(w, http.StatusOK, s.account(p))
	return nil
}

func (s *Service) getTeam(w http.ResponseWriter, r *http.Request) *refusal {
	if r.PathValue("team") != s.cfg.TeamID {
		return refuse("ConversationNotFound", "")
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"id": s.cfg.TeamID, "name": s.cfg.TeamName, "aadGroupId": s.cfg.GroupID, "tenantId": s.cfg.TenantID,
		"type": "standard", "channelCount": len(s.cfg.Channels), "memberCount": len(s.cfg.People) + 1,
	})
	return nil
}

func (s *Service) teamConversations(w http.ResponseWriter, r *http.Request) *refusal {
	if r.PathValue("team") != s.cfg.TeamID {
		return refuse("ConversationNotFound", "")
	}
	out := []any{}
	for _, c := range s.cfg.Channels {
		one := map[string]any{"id": c.ID, "name": c.Name}
		if c.ID == s.cfg.TeamID {
			one["name"] = nil
		}
		out = append(out, one)
	}
	writeJSON(w, http.StatusOK, map[string]any{"conversations": out})
	return nil
}
