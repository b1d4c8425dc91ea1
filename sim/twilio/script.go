package twilio

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// script is what a phone does by itself; see the package comment for its words.
type script struct {
	sleeps  int           // so many calls ring unheard; -1 for all
	pickup  string        // "" waits for a person; answers, voicemail, busy, declines, hangs up, dead
	wait    time.Duration // before that
	keys    []string      // one for each question
	late    bool          // pressed when the call is over
	replies []reply
	texts   int  // error code of texts that come; 0 is delivered
	unheard bool // texts are sent and no more is known
	quiet   bool // texts are held back as scheduled
}

// reply is what a person writes when a text comes.
type reply struct {
	words string // CODE stands for the four digits
	times int
	wait  time.Duration
}

var (
	afterClause   = regexp.MustCompile(`^(.*) after ([0-9].*)$`)
	pressesClause = regexp.MustCompile(`^(?:answers and )?presses ([0-9*#](?: then [0-9*#])*)( too late)?$`)
	sleepsClause  = regexp.MustCompile(`^sleeps through calls? ([1-9][0-9]?)$`)
	failsClause   = regexp.MustCompile(`^texts fail ([1-9][0-9]{4})$`)
	repliesClause = regexp.MustCompile(`^replies (.+?)( twice)?$`)
	codeInText    = regexp.MustCompile(`(?i)\bcode\b[^0-9]{0,12}([0-9]{4})\b`)
)

// parseScript reads a script. The error names the clause that nobody understands.
func parseScript(words string) (s script, err error) {
	if strings.TrimSpace(words) == "" {
		return s, nil
	}
	for clause := range strings.SplitSeq(words, ",") {
		if err := s.add(strings.TrimSpace(clause)); err != nil {
			return script{}, err
		}
	}
	return s, nil
}

func (s *script) add(clause string) error {
	whole, wait := clause, time.Duration(0)
	if m := afterClause.FindStringSubmatch(clause); m != nil {
		d, err := time.ParseDuration(m[2])
		if err != nil || d < 0 {
			return fmt.Errorf("sim/twilio: script: %q is no time to wait", m[2])
		}
		clause, wait = m[1], d
	}
	pick := func(how string, usual time.Duration) {
		s.pickup, s.wait = how, usual
		if wait > 0 {
			s.wait = wait
		}
	}
	switch clause {
	case "answers", "silent":
		pick("answers", time.Second)
		return nil
	case "voicemail":
		pick(clause, 12*time.Second)
		return nil
	case "declines", "hangs up":
		pick(clause, time.Second)
		return nil
	case "busy":
		pick(clause, 0)
		return nil
	case "dead":
		pick(clause, 0)
		s.texts = 30005
		return nil
	case "sleeps":
		s.sleeps = -1
		return nil
	case "off":
		s.sleeps, s.unheard = -1, true
		return nil
	case "quiet hours":
		s.quiet = true
		return nil
	case "STOP":
		clause = "replies STOP"
	}
	if m := pressesClause.FindStringSubmatch(clause); m != nil {
		pick("answers", time.Second)
		s.keys, s.late = strings.Split(m[1], " then "), m[2] != ""
		return nil
	}
	if m := sleepsClause.FindStringSubmatch(clause); m != nil {
		s.sleeps, _ = strconv.Atoi(m[1])
		return nil
	}
	if m := failsClause.FindStringSubmatch(clause); m != nil {
		s.texts, _ = strconv.Atoi(m[1])
		return nil
	}
	if m := repliesClause.FindStringSubmatch(clause); m != nil {
		r := reply{words: m[1], times: 1, wait: wait}
		if m[2] != "" {
			r.times = 2
		}
		s.replies = append(s.replies, r)
		return nil
	}
	return fmt.Errorf("sim/twilio: script: nobody knows how to %q", whole)
}

// answerTo is what a person writes to a text, "" for nothing, and by what the text is remembered so
// that it is answered once.
func (r reply) answerTo(body string) (words, once string) {
	if !strings.Contains(r.words, "CODE") {
		return r.words, r.words
	}
	m := codeInText.FindStringSubmatch(body)
	if m == nil {
		return "", ""
	}
	return strings.ReplaceAll(r.words, "CODE", m[1]), r.words + " " + m[1]
}
