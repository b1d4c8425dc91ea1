package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"responsehub"
	"responsehub/remediation"
)

// letterBatch is how many letters one script writes: Redis does nothing else meanwhile.
const letterBatch = 200

// PutLetters writes letters beside their incident, under the fence of the lane that
// works on them: ErrStale when it is somebody else's. Those with the same key are
// replaced. More than a batch goes out in several scripts, in order.
func (s *Store) PutLetters(ctx context.Context, f responsehub.Fence, letters []responsehub.Letter) error {
	keys := []string{laneKey(f.Incident, f.Lane), lettersKey(f.Incident)}
	for len(letters) > 0 {
		batch := letters[:min(len(letters), letterBatch)]
		letters = letters[len(batch):]
		args := make([]any, 1, 1+2*len(batch))
		args[0] = f.Token
		for i := range batch {
			b, err := json.Marshal(&batch[i])
			if err == nil {
				b, err = remediation.Pack(b)
			}
			if err != nil {
				return fmt.Errorf("store: letter of %s: %w", f.Incident, err)
			}
			args = append(args, batch[i].Key(), b)
		}
		ok, err := writeLetters.Run(ctx, s.rdb, keys, args...).Int64()
		switch {
		case err != nil:
			return fmt.Errorf("store: write letters of %s: %w", f.Incident, err)
		case ok == 0:
			return remediation.ErrStale
		}
	}
	return nil
}

// Letters returns about n letters of an incident, in no particular order, and the cursor
// of the next page, "" at the end. Each letter that is there from the first page to the
// last comes at least once (https://redis.io/docs/latest/commands/scan/).
func (s *Store) Letters(ctx context.Context, id, cursor string, n int) ([]responsehub.Letter, string, error) {
	at := uint64(0)
	if cursor != "" {
		var err error
		if at, err = strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", &responsehub.Error{Kind: responsehub.Invalid, Pointer: "cursor", Message: "The cursor is not one that this list gave."}
		}
	}
	pairs, next, err := s.rdb.HScan(ctx, lettersKey(id), at, "", int64(n)).Result()
	if err != nil {
		return nil, "", fmt.Errorf("store: letters of %s: %w", id, err)
	}
	letters := make([]responsehub.Letter, 0, len(pairs)/2)
	for i := 1; i < len(pairs); i += 2 {
		var l responsehub.Letter
		b, err := remediation.Unpack([]byte(pairs[i]))
		if err == nil {
			err = json.Unmarshal(b, &l)
		}
		if err != nil {
			return nil, "", fmt.Errorf("store: letter %s of %s: %w", pairs[i-1], id, err)
		}
		letters = append(letters, l)
	}
	if next == 0 {
		return letters, "", nil
	}
	return letters, strconv.FormatUint(next, 10), nil
}
