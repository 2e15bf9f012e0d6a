package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"inosyncd/config"
	"inosyncd/internal/control"
)

// serviceDir is what systemd makes of RuntimeDirectory= (systemd.exec(5)) in the
// unit that reads the configuration: inosyncd.service, or for
// /etc/inosync/NAME.yaml the instance inosyncd@NAME.service.
func serviceDir(configFile string) string {
	if path, err := filepath.Abs(configFile); err == nil && filepath.Dir(path) == "/etc/inosync" {
		if name, ok := strings.CutSuffix(filepath.Base(path), ".yaml"); ok {
			return "/run/inosyncd@" + name
		}
	}
	return "/run/inosyncd"
}

// fallback is the socket where the usual one cannot be made, as /run is
// read-only to a confined service: in the directory that systemd has made for
// the daemon. A command that is looking for the daemon has no variable of it,
// but the same configuration.
func fallback(configFile string) string {
	dir := serviceDir(configFile)
	if dirs := filepath.SplitList(os.Getenv("RUNTIME_DIRECTORY")); len(dirs) > 0 {
		dir = dirs[0]
	}
	return filepath.Join(dir, "control.sock")
}

// socketPaths are the places at which the daemon may answer.
func socketPaths(path, configFile string) []string {
	if path != config.DefaultControl() {
		return []string{path}
	}
	return []string{path, fallback(configFile)}
}

// openControl makes the control socket and answers there.
func (s *supervisor) openControl(path string) error {
	s.controlAt = path
	usual := path == config.DefaultControl()
	if path == "" && usual && os.Getenv("RUNTIME_DIRECTORY") != "" {
		path = fallback("") // a service of a user, which has no directory of its own
	}
	if path == "" {
		return nil
	}
	return s.serveControl(path, usual)
}

// serveControl answers at path. That the usual place cannot be used is no
// reason not to run; that a place somebody has chosen cannot be is one.
func (s *supervisor) serveControl(path string, usual bool) error {
	server, err := control.Serve(path, &s.desk, s.log)
	if err != nil && !usual {
		return err
	}
	if err != nil && os.Getenv("RUNTIME_DIRECTORY") != "" {
		var second error
		if server, second = control.Serve(fallback(""), &s.desk, s.log); second != nil {
			err = errors.Join(err, second)
		}
	}
	if server == nil {
		s.log.Warn("running without a control socket", "err", err)
		return nil
	}
	s.log.Debug("control socket made", "path", server.Path())
	s.control = server
	return nil
}

// moveControl makes the control socket that a new configuration names. When
// that fails the old one stays.
func (s *supervisor) moveControl(path string) {
	if path == s.controlAt {
		return
	}
	was, wasAt := s.control, s.controlAt
	s.control = nil
	if err := s.openControl(path); err != nil {
		s.control, s.controlAt = was, wasAt
		s.log.Error("keeping the old control socket", "err", err)
		return
	}
	s.closeServer(was)
}

func (s *supervisor) closeControl() { s.closeServer(s.control) }

func (s *supervisor) closeServer(server *control.Server) {
	if server == nil {
		return
	}
	if err := server.Close(); err != nil {
		s.log.Warn("closing the control socket failed", "err", err)
	}
}
