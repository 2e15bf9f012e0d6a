package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"inosyncd/config"
	"inosyncd/internal/control"
	"inosyncd/internal/fault"
	"inosyncd/internal/logging"
	"inosyncd/internal/web"
)

// stopLimit is how long the daemon goes on pushing what is pending when it stops.
const stopLimit = 10 * time.Second

// supervisor runs the mirrors of the current configuration. It has one owner, the
// goroutine that called serve.
type supervisor struct {
	app     *app
	log     *slog.Logger
	flood   *logging.Limiter // in front of log
	logFile *logging.File    // nil: standard error, or syslog
	syslog  *logging.Syslog
	level   slog.LevelVar
	atStart *config.Config // for what is set at the start only

	desk      desk            // answers on the control socket
	control   *control.Server // nil: none
	controlAt string          // where the configuration wants it
	killed    bool            // the daemon before has not removed its control socket
	web       *web.Server     // nil: none
	webAt     string          // where the configuration wants it
	webToken  string          // that it asks for; "": none

	sockets string  // directory for the sockets of shared ssh connections
	limits  *limits // of the configuration in force
	running []*mirror
	places  map[string]chan struct{} // see place

	retiring sync.WaitGroup // mirrors that are no longer configured

	files []string    // that the configuration was made from
	saved *autoReload // tells when one is saved; nil: they are read on HUP alone
}

// mirror is the program without a command: it mirrors until ctx is done.
func (a *app) mirror(ctx context.Context) error {
	file, err := filepath.Abs(a.configFile)
	if err != nil {
		return fmt.Errorf("locating the configuration: %w", err)
	}
	a.configFile = file
	read := versionsOf([]string{file})
	cfg, err := a.loadToRun(ctx)
	if err != nil {
		return err
	}
	if a.daemonize && os.Getenv(readyFD) == "" {
		return a.background(os.Args[1:])
	}
	if a.daemonize {
		// Whatever directory it was started in can be unmounted. All paths of
		// the configuration are absolute.
		if err := os.Chdir("/"); err != nil {
			return fmt.Errorf("going to the background: %w", err)
		}
	}
	pid, err := lockPidFile(cfg.PidFile)
	if err != nil {
		return err
	}
	defer pid.release()
	s := newSupervisor(a)
	if err := s.openLog(cfg); err != nil {
		return err
	}
	defer s.closeLog()
	s.keepLines()
	if s.sockets, err = makeSocketDir(); err != nil {
		return err
	}
	defer os.RemoveAll(s.sockets)
	return s.serve(ctx, cfg, read)
}

// serve applies cfg, made of the files read, and re-reads them on every HUP.
func (s *supervisor) serve(ctx context.Context, cfg *config.Config, read versions) error {
	defer surviveBrokenLog()()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	s.warn(cfg)
	defer s.desk.verifier.close()
	s.desk.expect(cfg)
	if err := s.openControl(cfg.Control); err != nil {
		return err
	}
	defer s.closeControl()
	if err := s.openWeb(cfg.Listen); err != nil {
		return err
	}
	defer s.closeWeb()
	if s.killed = s.control != nil && s.control.Replaced(); s.killed {
		s.log.Warn("the last daemon was killed: nodes will be compared twice", "again_in", lateWrites)
	}
	s.apply(ctx, cfg)
	s.killed = false
	defer s.stop()
	s.watchConfig(cfg, read)
	defer func() { s.saved.close() }()
	s.tellSystemd("STATUS=setting watches")
	if err := s.awaitWatching(ctx); err != nil {
		return err
	}
	if err := notifyParent(); err != nil {
		return err
	}
	v, _ := programVersion()
	s.log.Info("watching", "version", v, "mirrors", len(s.running))
	s.tellSystemd(daemon.SdNotifyReady)
	defer s.keepTelling()()
	for {
		select {
		case <-ctx.Done():
			s.log.Info("stopping", "cause", context.Cause(ctx))
			s.tellSystemd(daemon.SdNotifyStopping + "\nSTATUS=pushing what is pending")
			return nil
		case <-hup:
			s.reload(ctx)
		case <-s.saved.told():
			s.reload(ctx)
		}
	}
}

// awaitWatching returns when every mirror watches, or waits for its source.
func (s *supervisor) awaitWatching(ctx context.Context) error {
	for _, m := range s.running {
		select {
		case <-m.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// reload re-reads the configuration. A faulty one changes nothing.
func (s *supervisor) reload(ctx context.Context) {
	s.tellSystemd(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	defer s.tellSystemd(daemon.SdNotifyReady)
	if s.logFile != nil {
		if err := s.logFile.Reopen(); err != nil {
			s.log.Error("keeping the old log file", "err", err)
		}
	}
	read := versionsOf(s.files)
	cfg, err := s.app.loadToRun(ctx)
	if err == nil {
		err = fault.Fail("reload: read")
	}
	if err != nil {
		s.logFaults(err)
		return
	}
	s.relog(cfg)
	s.warn(cfg)
	s.apply(ctx, cfg)
	s.moveControl(cfg.Control)
	s.moveWeb(cfg.Listen)
	s.watchConfig(cfg, read)
	if s.awaitWatching(ctx) == nil {
		s.log.Info("configuration reloaded", "mirrors", len(s.running))
	}
}

// watchConfig watches the files of cfg if cfg asks for it. HUP still works without,
// so a failure is no reason to stop.
func (s *supervisor) watchConfig(cfg *config.Config, read versions) {
	s.saved.close()
	s.files = cfg.Files()
	var err error
	if s.saved, err = watchConfig(cfg, read); err != nil {
		s.log.Error("cannot watch the configuration: it is re-read on HUP only", "err", err)
	}
}

func (s *supervisor) logFaults(err error) {
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		s.log.Error("keeping the old configuration", "err", err)
		return
	}
	for _, f := range faults {
		s.log.Error("keeping the old configuration", "err", f.Error())
	}
}

func (s *supervisor) warn(cfg *config.Config) {
	for _, w := range cfg.Warnings {
		s.log.Warn("suspicious configuration", "warning", w.Error())
	}
}

func indexMirror(cfg *config.Config, name string) int {
	for i := range cfg.Mirrors {
		if cfg.Mirrors[i].Enabled && cfg.Mirrors[i].Name == name {
			return i
		}
	}
	return -1
}

func (s *supervisor) openLog(cfg *config.Config) error {
	if err := s.setLevel(cfg); err != nil {
		return err
	}
	s.atStart = cfg
	o := logging.Options{Format: cfg.LogFormat, Level: &s.level}
	if !s.app.daemonize {
		if f, ok := s.app.stderr.(*os.File); ok {
			o.Journal = logging.ToJournal(f)
		}
		o.Colour = terminalOf(s.app.stderr).colour
		s.setLog(logging.New(s.app.stderr, o))
		return nil
	}
	if cfg.LogFile == "" {
		s.openSyslog(o)
		return nil
	}
	var err error
	if s.logFile, err = logging.OpenFile(cfg.LogFile); err != nil {
		return err
	}
	s.setLog(logging.New(s.logFile, o))
	return nil
}

// openSyslog is for a daemon without a log_file. If there is no syslog either, it
// says so to whoever starts it.
func (s *supervisor) openSyslog(o logging.Options) {
	var err error
	if s.syslog, err = logging.OpenSyslog("", ""); err != nil {
		fmt.Fprintln(s.app.stderr, "inosyncd: warning: the log is discarded, as there is neither a log_file nor a syslog")
		s.setLog(slog.New(slog.DiscardHandler))
		return
	}
	o.Journal = true
	s.setLog(logging.New(s.syslog, o))
}

// setLog puts the limiter against floods in front of the log.
func (s *supervisor) setLog(log *slog.Logger) {
	s.flood = logging.Limit(log.Handler())
	s.log = slog.New(s.flood)
}

func (s *supervisor) setLevel(cfg *config.Config) error {
	if err := s.level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return fmt.Errorf("reading log_level: %w", err)
	}
	if s.app.verbose {
		s.level.Set(slog.LevelDebug)
	}
	return nil
}

// relog applies the log settings that can change at run time, and warns about the
// others.
func (s *supervisor) relog(cfg *config.Config) {
	if err := s.setLevel(cfg); err != nil {
		s.log.Error("keeping the old log level", "err", err)
	}
	was := s.atStart
	if cfg.LogFile != was.LogFile || cfg.LogFormat != was.LogFormat || cfg.PidFile != was.PidFile {
		s.log.Warn("a changed log_file, log_format or pid_file takes effect at the next start")
	}
}

func (s *supervisor) closeLog() {
	s.flood.Close()
	if s.logFile != nil {
		_ = s.logFile.Close()
	}
	if s.syslog != nil {
		_ = s.syslog.Close()
	}
}

func (s *supervisor) tellSystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Debug("notifying systemd failed", "err", err)
	}
}
