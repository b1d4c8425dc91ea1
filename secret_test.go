package responsehub_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"responsehub"
)

func TestSecretIsNeverSeen(t *testing.T) {
	const word = "hunter2-Tr0ub4dor"
	type holder struct {
		Password responsehub.Secret `json:"password"`
		Pointer  *responsehub.Secret
		List     []responsehub.Secret
	}
	secret := responsehub.Secret(word)
	h := holder{secret, &secret, []responsehub.Secret{secret}}

	seen := map[string]string{}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		seen["fmt "+format] = fmt.Sprintf(format, secret)
		seen["fmt struct "+format] = fmt.Sprintf(format, h)
		seen["fmt map "+format] = fmt.Sprintf(format, map[string]any{"p": secret})
	}
	seen["Sprint"] = fmt.Sprint(secret, h)
	seen["error"] = fmt.Errorf("set password %s: %w", secret, errors.New("no")).Error()
	b, err := json.Marshal(map[string]any{"s": secret, "h": h})
	if err != nil {
		t.Fatal(err)
	}
	seen["json"] = string(b)
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var out bytes.Buffer
		slog.New(handler(&out)).With("with", secret).Info("reset", "secret", secret, "holder", h, slog.Group("g", "secret", secret))
		seen[name] = out.String()
	}
	for way, text := range seen {
		if strings.Contains(text, word) || strings.Contains(text, fmt.Sprintf("%x", word)) {
			t.Errorf("%s shows the secret: %s", way, text)
		}
		if !strings.Contains(text, "redacted") && !strings.Contains(text, fmt.Sprintf("%x", "redacted")) && way != "fmt struct %x" {
			t.Errorf("%s does not say that something was redacted: %s", way, text)
		}
	}
	if string(secret) != word {
		t.Error("a conversion no longer shows the secret to those who need it")
	}
}

func TestErrorsForPeople(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.1: refused")
	hub := &responsehub.Error{Kind: responsehub.Throttled, Message: "Microsoft asks to wait.", RetryAfter: time.Minute, Err: cause}
	wrapped := fmt.Errorf("lock: %w", hub)
	if responsehub.KindOf(wrapped) != responsehub.Throttled || responsehub.Sentence(wrapped) != "Microsoft asks to wait." {
		t.Errorf("a wrapped error reads %s %q", responsehub.KindOf(wrapped), responsehub.Sentence(wrapped))
	}
	if !errors.Is(wrapped, cause) || !strings.Contains(wrapped.Error(), "10.0.0.1") {
		t.Errorf("the cause is lost for the log: %v", wrapped)
	}
	if strings.Contains(responsehub.Sentence(cause), "10.0.0.1") || responsehub.Sentence(cause) == "" {
		t.Errorf("a foreign error is shown to people: %q", responsehub.Sentence(cause))
	}
	if responsehub.KindOf(cause) != responsehub.Unavailable {
		t.Errorf("a foreign error is %s, want unavailable: it may pass", responsehub.KindOf(cause))
	}
}
