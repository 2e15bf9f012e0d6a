package logging

import (
	"fmt"
	"log/syslog"
)

// Syslog writes to the system's log, be it the journal or a syslog daemon, and
// connects anew when that was restarted.
type Syslog struct{ w *syslog.Writer }

// OpenSyslog connects to the socket at the address, of a network such as
// "unixgram"; "" and "" are the usual ones. The lines are this program's.
func OpenSyslog(network, address string) (*Syslog, error) {
	w, err := syslog.Dial(network, address, syslog.LOG_DAEMON|syslog.LOG_INFO, "inosyncd")
	if err != nil {
		return nil, fmt.Errorf("connecting to syslog: %w", err)
	}
	return &Syslog{w}, nil
}

// Write writes a line of a logger with Options.Journal, at the priority that it
// begins with, or any other as information.
func (s *Syslog) Write(line []byte) (int, error) {
	text, put := string(line), s.w.Info
	if len(text) > 3 && text[0] == '<' && text[2] == '>' {
		switch text[1] {
		case '3':
			put = s.w.Err
		case '4':
			put = s.w.Warning
		case '7':
			put = s.w.Debug
		}
		text = text[3:]
	}
	if err := put(text); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Close ends the connection.
func (s *Syslog) Close() error { return s.w.Close() }
