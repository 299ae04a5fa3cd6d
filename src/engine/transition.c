#include "engine/transition.h"

static stw_transition go_transition(int64_t id, unsigned from, unsigned to)
{
	return (stw_transition){.id = id, .from = from, .to = to};
}

stw_transition stw_transition_of(const stw_stream_event *e)
{
	stw_transition t;
	switch (e->type) {
	case STW_EV_ProcStart: return (stw_transition){.proc = true, .id = (int64_t)e->a[0], .from = STW_PROC_IDLE, .to = STW_PROC_RUNNING};
	case STW_EV_ProcStop: return (stw_transition){.proc = true, .id = e->p, .from = STW_PROC_RUNNING, .to = STW_PROC_IDLE};
	case STW_EV_ProcSteal:
		return (stw_transition){.proc = true,
			.id = (int64_t)e->a[0],
			.from = e->a[3] == STW_P_ABANDONED ? STW_PROC_IDLE : STW_PROC_RUNNING,
			.to = STW_PROC_IDLE};
	case STW_EV_ProcStatus:
		return (stw_transition){
			.proc = true, .id = (int64_t)e->a[0], .from = (unsigned)e->a[2], .to = stw_proc_state_of((unsigned)e->a[1])};
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked:
		t = go_transition((int64_t)e->a[0], STW_GO_NOT_EXIST, e->type == STW_EV_GoCreate ? STW_GO_RUNNABLE : STW_GO_WAITING);
		t.has_stack = true;
		t.stack = e->a[1];
		return t;
	case STW_EV_GoCreateSyscall: return go_transition((int64_t)e->a[0], STW_GO_NOT_EXIST, STW_GO_SYSCALL);
	case STW_EV_GoStart: return go_transition((int64_t)e->a[0], STW_GO_RUNNABLE, STW_GO_RUNNING);
	case STW_EV_GoDestroy: return go_transition(e->g, STW_GO_RUNNING, STW_GO_NOT_EXIST);
	case STW_EV_GoDestroySyscall: return go_transition(e->g, STW_GO_SYSCALL, STW_GO_NOT_EXIST);
	case STW_EV_GoStop:
	case STW_EV_GoBlock:
		t = go_transition(e->g, STW_GO_RUNNING, e->type == STW_EV_GoStop ? STW_GO_RUNNABLE : STW_GO_WAITING);
		t.has_reason = true;
		t.reason = e->a[0];
		t.stack = e->a[1];
		break;
	case STW_EV_GoSyscallBegin:
		t = go_transition(e->g, STW_GO_RUNNING, STW_GO_SYSCALL);
		t.stack = e->a[1];
		break;
	case STW_EV_GoSyscallEnd: return go_transition(e->g, STW_GO_SYSCALL, STW_GO_RUNNING);
	case STW_EV_GoSyscallEndBlocked: return go_transition(e->g, STW_GO_SYSCALL, STW_GO_RUNNABLE);
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack:
		t = go_transition((int64_t)e->a[0], (unsigned)(e->a[2] >> 32), stw_go_state_of((unsigned)(e->a[2] & 7)));
		t.stack = e->type == STW_EV_GoStatusStack ? e->a[3] : 0;
		break;
	default: /* an unblocking, also the first of the three that a switch stands for */
		return go_transition((int64_t)e->a[0], STW_GO_WAITING, STW_GO_RUNNABLE);
	}
	t.has_stack = t.stack != 0;
	return t;
}

bool stw_event_stack(const stw_stream_event *e, uint64_t *id)
{
	if (e->type == STW_EV_SYNC_POINT)
		return false;
	if (e->type == STW_EV_CPUSample) {
		*id = e->a[0];
		return true;
	}
	const stw_event_spec *spec = stw_event_spec_of(e->type);
	if (spec->stack < 0)
		return false;
	*id = e->a[(unsigned char)spec->stack];
	return *id != 0;
}
