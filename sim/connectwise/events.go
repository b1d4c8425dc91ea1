package connectwise

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"responsehub/sim/desk"
)

// key signs callbacks. Older ones stay at their address.
type key struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

func newKey() key {
	raw := make([]byte, 32)
	rand.Read(raw)
	return key{uuid(), base64.StdEncoding.EncodeToString(raw)}
}

func uuid() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// keyURL is where a key stands. The two slashes are the vendor's.
func (s *Service) keyURL(k key) string {
	return s.cfg.URL + "/" + s.codebase + "/system/callbackkey/index.rails?companyName=" + url.QueryEscape(s.cfg.Company) + "&id=" + k.ID
}

// serveKey shows a key to whoever asks.
func (s *Service) serveKey(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "" {
		s.unexpected("credentials sent with the fetch of a callback key")
	}
	for _, k := range s.keys {
		if k.ID == r.URL.Query().Get("id") && r.URL.Query().Get("companyName") == s.cfg.Company {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_, _ = w.Write(desk.Compact(desk.Record{"signing_key": k.Secret})) // the client is gone: nobody to tell
			return
		}
	}
	http.NotFound(w, r)
}

// sign is the value of x-content-signature: HMAC-SHA256 with the SHA-256 of the key.
// https://developer.connectwise.com/Products/Manage/Developer_Guide, Callbacks.
func sign(secret string, body []byte) string {
	hashed := sha256.Sum256([]byte(secret))
	mac := hmac.New(sha256.New, hashed[:])
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// happened posts an event to every callback that covers the ticket. s.mu is held.
func (s *Service) happened(action string, t desk.Record, by int) {
	for _, h := range s.hooks {
		covered := h.Text("level") == "owner" || h.Text("level") == "board" && h.Int("objectId") == t.Sub("board").Int("id") ||
			h.Text("level") == "status" && h.Int("objectId") == t.Sub("status").Int("id") || h.Text("level") == "ticket" && h.Int("objectId") == t.Int("id")
		if !covered || h.Flag("inactiveFlag") || h.Flag("isSelfSuppressedFlag") && by == h.Int("memberId") {
			continue
		}
		k := s.keys[len(s.keys)-1]
		body := s.event(action, t, by, s.keyURL(k))
		s.sender.Send(post(h, action, t, body, sign(k.Secret, body)))
	}
}

// post puts an event on its way: the id and the action are appended to the callback's url as they are.
func post(h desk.Record, action string, t desk.Record, body []byte, signature string) desk.Post {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	header.Set("x-content-signature", signature)
	return desk.Post{
		Queue: strconv.Itoa(h.Int("id")), URL: h.Text("url") + strconv.Itoa(t.Int("id")) + "&action=" + action, Header: header, Body: body,
	}
}

// event is the body of a callback, fields as in a recorded one.
func (s *Service) event(action string, t desk.Record, by int, keyURL string) []byte {
	host := strings.TrimPrefix(s.cfg.URL, "https://")
	return desk.Compact(desk.Record{
		"Action": action, "CallbackObjectRecId": t.Int("id"), "CompanyId": s.cfg.Company, "Entity": string(desk.Compact(t)), "FromUrl": host, "ID": t.Int("id"),
		"MemberId": s.member(by), "MessageId": uuid(), "Metadata": desk.Record{"key_url": keyURL}, "PartnerId": uuid(), "ProductInstanceId": s.cfg.Company + "_psa", "Type": "ticket",
	})
}

// hostile posts an event that the hub must not believe and returns the hub's answer.
func (s *Service) hostile(ctx context.Context, kind string, ticket int) (string, error) {
	p, err := s.disguise(kind, ticket)
	if err != nil {
		return "", err
	}
	status, err := s.sender.Once(ctx, p)
	if err != nil {
		return "", fmt.Errorf("sim/connectwise: %w", err)
	}
	return fmt.Sprintf("The hub answered %d.", status), nil
}

func (s *Service) disguise(kind string, ticket int) (desk.Post, error) {
	if kind == "replay" {
		p, ok := s.sender.Last()
		if !ok {
			return p, fmt.Errorf("sim/connectwise: nothing was posted yet")
		}
		return p, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := find(s.tickets, ticket)
	if t == nil || len(s.hooks) == 0 {
		return desk.Post{}, fmt.Errorf("sim/connectwise: there is no ticket %d, or no callback", ticket)
	}
	h, k := s.hooks[len(s.hooks)-1], s.keys[len(s.keys)-1]
	switch kind {
	case "forged":
		body := s.event("updated", t, clerks, s.keyURL(k))
		return post(h, "updated", t, body, sign(newKey().Secret, body)), nil
	case "elsewhere":
		own := newKey()
		body := s.event("updated", t, clerks, "https://keys.evil.example/"+s.codebase+"/system/callbackkey/index.rails?companyName="+s.cfg.Company+"&id="+own.ID)
		return post(h, "updated", t, body, sign(own.Secret, body)), nil
	case "reordered":
		body := s.event("updated", t, clerks, s.keyURL(k))
		signature := sign(k.Secret, body)
		moved := append([]byte(`{"Type":"ticket",`), body[1:]...)
		return post(h, "updated", t, moved, signature), nil
	}
	return desk.Post{}, fmt.Errorf("sim/connectwise: an event is forged, elsewhere, reordered or a replay, not %q", kind)
}
