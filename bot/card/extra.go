package card

import (
	"fmt"

	"responsehub"
)

// Dialog draws the one-time password for the dialog of the person who asked for it.
// It must go nowhere else: a dialog is not kept as a message.
func Dialog(password, account, advice string) []byte {
	return encode(adaptive([]obj{
		line(nil, bold("New password of "), plain(Clean(account, 200))),
		line(obj{"spacing": "Medium"}, run(password, obj{"fontType": "Monospace", "size": "Large", "weight": "Bolder"})),
		line(obj{"spacing": "Medium"}, plain(Clean(advice, 600))),
	}, nil))
}

// List draws lines of text under a title, for answers to commands.
func List(title string, lines []string) []byte {
	body := []obj{line(nil, bold(Clean(title, 200)))}
	for i, l := range lines {
		if i == maxLines {
			body = append(body, line(nil, subtle(fmt.Sprintf("and %s more lines", responsehub.Grouped(len(lines)-i)))))
			break
		}
		body = append(body, line(nil, plain(Clean(l, 300))))
	}
	return encode(adaptive(body, nil))
}

// maxLines keeps a list below [MaxSize]: 20 lines of 300 characters of 4 bytes.
const maxLines = 20

// Test is the card by which an operator tries a channel out: as posted, or as changed
// afterwards.
func Test(changed bool) []byte {
	text := wordsTest
	if changed {
		text = wordsTestPassed
	}
	return encode(adaptive([]obj{line(nil, bold(text)), line(nil, plain(wordsTestNothing))}, nil))
}
