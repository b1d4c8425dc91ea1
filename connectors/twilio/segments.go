package twilio

import "unicode/utf16"

// segments is how many segments a text takes: 160 characters of GSM-7, or 153 each of
// several; 70 and 67 with any other character. It counts by ASCII, which overestimates
// texts with GSM-7's few further letters: then the sender is a little slower.
// https://www.twilio.com/docs/glossary/what-sms-character-limit
func segments(body string) int {
	single, several := 160, 153
	for _, r := range body {
		if r > '~' || r == '`' {
			single, several = 70, 67
			break
		}
	}
	n := len(utf16.Encode([]rune(body)))
	if n <= single {
		return 1
	}
	return (n + several - 1) / several
}
