package main

import (
	"fmt"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// failureText is a failure in one line: whose fault, which code, what happened. What is
// known by its code is said in the language of the reader; failureHelp has the words then.
func (t text) failureText(f *contract.Failure) string {
	s := t.labelled(f.Code, f.Message)
	if said := t.failure(f); said != "" {
		s = t.labelled(f.Code, said)
	}
	if f.Origin != "" {
		s = "[" + t.of(string(f.Origin)) + "] " + s
	}
	return s
}

// failureHelp is what else there is to say of a failure: which call it was, in a line of
// its own where it was one, and what to do next.
func (t text) failureHelp(f *contract.Failure) []string {
	var out, facts []string
	if t.failure(f) != "" && f.Message != "" {
		out = append(out, clean(t.labelled(t.in("in its own words"), t.recognised(f.Message))))
	}
	if f.System != "" {
		facts = append(facts, strings.TrimSuffix(f.System+"/"+f.Operation, "/"))
	}
	if f.HTTPStatus != 0 {
		facts = append(facts, fmt.Sprintf("HTTP %d", f.HTTPStatus))
	}
	if f.RequestID != "" {
		facts = append(facts, fmt.Sprintf(t.of("request"), f.RequestID))
	}
	if f.Attempts != 0 {
		facts = append(facts, fmt.Sprintf(t.of("sent"), f.Attempts))
	}
	if f.RetryAfterMS > 0 {
		facts = append(facts, fmt.Sprintf(t.of("retry after"), (f.RetryAfterMS+999)/1000))
	}
	if len(facts) > 0 {
		out = append(out, clean(strings.Join(facts, " · ")))
	}
	return append(out, t.labelled(t.of("next"), t.of("hint."+string(f.Advice()))))
}

// failure says what happened by the code of a failure, "" where that is unknown, or where
// the message says it already.
func (t text) failure(f *contract.Failure) string {
	if t.lang != "zh" {
		return ""
	}
	s := t.shared()
	return s.fill(s.Failure[f.Code], nil)
}

// failureWords are the texts about failures. There is one for each of contract.Hints.
func failureWords() map[string][2]string {
	return map[string][2]string{
		"request":     {"request %s", "请求 %s"},
		"sent":        {"sent %d×", "已发送 %d 次"},
		"retry after": {"asks to wait %d s", "要求等待 %d 秒"},
		"next":        {"what to do", "怎么办"},

		"hint.fix_inputs":       {"correct the inputs or the flow, then retry", "修正输入或流程后重试"},
		"hint.ask_grant":        {"ask an administrator to grant the operation to the plugin", "请管理员给这个插件授权该接口"},
		"hint.enable_operation": {"ask an administrator to register the system or to enable the operation", "请管理员登记该系统或启用该接口"},
		"hint.set_credential":   {"ask an administrator to set the system's credential", "请管理员为这个系统设置凭证"},
		"hint.check_credential": {"ask an administrator to test or renew the system's credential and its rights there", "系统拒绝了凭证：请管理员测试或更新凭证，并检查其权限"},
		"hint.set_secret":       {"set the project's secret again, or start a new run", "请重新设置项目密文，或启动新的任务"},
		"hint.check_address":    {"ask an administrator to check the system's address and the address policy", "请管理员检查系统地址和网络策略"},
		"hint.check_system":     {"ask whoever runs the outside system; the request id finds it in their logs", "联系外部系统的负责人；用请求号可在其日志中找到这次调用"},
		"hint.check_trust":      {"ask an administrator to check the system's certificate and its authority", "请管理员检查系统证书及其签发机构"},
		"hint.retry_later":      {"retry later", "稍后重试"},
		"hint.ask_less":         {"ask for less at once, or let an administrator raise the limit", "减少单次请求的数据量，或请管理员提高限额"},
		"hint.find_out":         {"find out in the outside system what happened, then resolve the node", "到外部系统确认实际结果，再裁决"},
		"hint.read_message":     {"look at what the plugin reports and at the log of the node, then retry", "查看插件给出的原因和节点日志，处理后重试"},
		"hint.report_plugin":    {"report it to the author of the plugin", "反馈给插件作者"},
		"hint.read_log":         {"Culm's log says more", "查看 Culm 的日志"},
	}
}
