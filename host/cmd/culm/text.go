package main

import (
	"maps"
	"strings"
	"sync"

	"github.com/culmhq/culm/host/fault"
)

// text is the language that people are spoken to.
type text struct {
	lang    string  // "en" or "zh"
	phrases phrases // of the language, where it is not English
	// shared gives the texts of the browser in it, read when one is needed first; nil for English.
	shared func() shared
}

// textIn is a language by its name.
func textIn(lang string) text {
	if lang == "zh" {
		return text{lang: lang, phrases: parsePhrases(zhPhrases), shared: sync.OnceValue(readShared)}
	}
	return text{lang: "en"}
}

// textFor takes the language from the environment as POSIX orders it.
func textFor(o outside) text {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := o.getenv(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return textIn("zh")
			}
			return textIn("en")
		}
	}
	return textIn("en")
}

// words are the texts of the program: English, Chinese.
func words() map[string][2]string {
	all := supplyWords()
	maps.Copy(all, auditWords())
	maps.Copy(all, map[string][2]string{
		"error":   {"error", "错误"},
		"refused": {"refused", "已拒绝"},

		"created": {"created", "已创建"}, "running": {"running", "运行中"}, "suspended": {"suspended", "已暂停"},
		"blocked": {"blocked", "待处理"}, "succeeded": {"succeeded", "成功"}, "failed": {"failed", "失败"},
		"revoked": {"revoked", "已终止"}, "ready": {"ready", "待执行"}, "waiting": {"waiting", "等待中"},
		"skipped": {"skipped", "已跳过"}, "cancelled": {"cancelled", "已取消"}, "unknown": {"unknown", "结果未知"},
		"rolling_back": {"rolling back", "回滚中"}, "rolled_back": {"rolled back", "已回滚"},
		"rollback_failed": {"rollback failed", "回滚失败"},

		"poll": {"polling", "轮询"}, "timer": {"timer", "定时"}, "callback": {"callback", "回调"}, "human": {"a person", "人工"},
		"run": {"a run of its own", "独立任务"},

		"flow": {"flow", "流程设计"}, "plugin": {"plugin", "插件"}, "limit": {"limit", "平台限额"}, "gateway": {"gateway", "网关配置"},
		"system": {"system", "外部系统"}, "host": {"Culm", "Culm 自身"},

		"valid":        {"valid", "有效"},
		"attempt":      {"attempt", "第%d次"},
		"ask":          {"Approve?", "是否同意？"},
		"ask.json":     {"Answer (JSON)", "请回答（JSON）"},
		"ask.again":    {"please answer y or n", "请输入 y 或 n"},
		"ask.badjson":  {"that is not JSON", "不是有效的 JSON"},
		"decide.retry": {"retry", "重试"},
		"decide.skip":  {"skip", "跳过"},
		"decide.done":  {"it was done", "已完成"},
		"decide.fail":  {"it failed", "失败"},
		"decide.quit":  {"leave it", "保持现状"},
		"needs person": {"the run waits for a person; answer in a terminal, or run it on a server", "任务在等人处理：请在终端里运行，或在服务器上运行"},
		"is blocked":   {"the run is blocked: a node failed and nobody is here to decide", "任务待处理：节点失败，而这里没有人处理"},
		"interrupted":  {"interrupted", "已中断"},
		"listening":    {"open", "打开"},
		"data":         {"data", "数据"},
		"demo":         {"demo", "演示"},
		"stopping":     {"stopping: waiting for running calls", "正在停止：等待进行中的调用"},
		"sim.elapsed":  {"%s, after %s of virtual time", "%s，虚拟时间 %s"},
		"sim.stopped":  {"stopped", "已停止"},
		"sim.timeline": {"Attempts", "执行记录"},
		"sim.failures": {"Failures", "失败"},
		"sim.actions":  {"Actions", "操作"},
		"sim.outputs":  {"Outputs", "输出"},
		"sim.unmet":    {"Expectations that were not met", "未满足的预期"},
		"sim.want":     {"want %s, got %s", "预期 %s，实际 %s"},
		"sim.unused":   {"Not used by the run", "任务没有用到的脚本条目"},
		"no plugins":   {"plugins were not built into this binary", "此程序未内置插件"},
	})
	return all
}

// supplyWords are the texts about versions of plugins, their keys and their review.
func supplyWords() map[string][2]string {
	return map[string][2]string{
		"pending":                {"waits for a review", "等待审核"},
		"active":                 {"active", "可用"},
		"withdrawn":              {"withdrawn", "已撤下"},
		"ver.blocked":            {"blocked", "已禁用"},
		"loaded.not":             {"not loaded", "未加载"},
		"loaded.server":          {"%s in memory", "占用内存 %s"},
		"loaded.workers":         {"%s in memory with %d worker processes", "占用内存 %s（含 %d 个工作进程）"},
		"hold.ASKS_OPERATION":    {"asks for %s", "请求新的权限 %s"},
		"hold.ASKS_LIMIT":        {"asks for more of %s", "请求更高的限额：%s"},
		"hold.PUBLISHER_CHANGED": {"is not signed by %s, who published the version before", "上一版本由 %s 发布，这一版本没有它的签名"},
		"hold.NAME_CONFUSABLE":   {"its name can be taken for %s", "名称容易和已安装的 %s 混淆"},
		"latest":                 {"active, latest", "使用中"},
		"key.exists":             {"%s exists already, and a key is never written over: take another name", "%s 已存在，密钥不会被覆盖：请换一个名称"},
		"key.none":               {"name the key with --key, or put it into %s; culm plugin keygen makes one", "请用 --key 指定密钥，或放入 %s；culm plugin keygen 可生成密钥"},
		"verify.keys":            {"there is no %s: name the public key with --key, or the data directory of the server with --data", "没有 %s：请用 --key 指定公钥，或用 --data 指定服务器的数据目录"},
		"verify.unsigned":        {"%s is not signed: there is no %s", "%s 没有签名：找不到 %s"},
		"verify.untrusted":       {"%s: no trusted key signed it", "%s：没有受信任的密钥为它签名"},
		"trust.start":            {"a running server reads this when it is started again", "服务器重启后生效"},
		"trust.twice":            {"the key stands in %s already, as that of %s, and may stand there once: change the entry there", "该密钥已在 %s 中（发布者 %s），每个密钥只能出现一次：请直接修改该条目"},
		"comma":                  {", ", "，"},
		"list":                   {", ", "、"},
		"ver.none":               {"no version of %s is in use now: new runs cannot use it until one is activated", "%s 现在没有可用版本：启用某个版本之前，新任务无法使用"},
		"digest":                 {"digest", "摘要"},
		"state":                  {"state", "状态"},
		"signature":              {"signature", "签名"},
		"size":                   {"size", "大小"},
		"bytes":                  {"%d bytes", "%d 字节"},
		"action":                 {"action", "动作"},
		"project":                {"project", "项目"},
		"limit.timeout":          {"time of a call", "单次调用时长"},
		"limit.memory":           {"memory", "内存"},
		"limit.output":           {"output", "输出"},
		"limit.log":              {"log", "日志"},
		"limit.host_calls":       {"gateway calls", "网关调用次数"},
		"then":                   {"next: %s", "下一步：%s"},
		"unsigned":               {"not signed by a trusted key", "未签名"},
		"shipped":                {"came with the program", "随程序提供"},
		"signed by":              {"signed by %s", "%s 签名"},
		"granted":                {"granted", "已授权"},
		"switched off":           {"switched off there", "已停用"},
		"not granted":            {"not granted", "未授权"},
		"asks":                   {"asks for", "请求"},
		"held":                   {"to review", "待审核"},
		"warning":                {"warning", "警告"},
		"policy":                 {"policy", "签名要求"},
		"policy.required":        {"a trusted signature is required", "必须有受信任的签名"},
		"policy.warn":            {"unsigned plugins are installed with a warning", "允许未签名的插件，但会警告"},
		"policy.off":             {"signatures are not asked for", "不要求签名"},

		"event.installed": {"installed", "安装"}, "event.held": {"held for review", "转入审核"}, "event.refused": {"refused", "拒绝"},
		"event.approved": {"approved", "批准"}, "event.activated": {"activated", "启用"}, "event.rolled_back": {"rolled back", "回退"},
		"event.withdrawn": {"withdrawn", "撤下"}, "event.blocked": {"blocked", "禁用"}, "event.signed": {"signed", "添加签名"},
		"event.key_revoked": {"key revoked", "吊销密钥"},
	}
}

// wordLists are all lists of texts that have a key.
func wordLists() []func() map[string][2]string {
	return []func() map[string][2]string{words, authorWords, keyWords, replayWords, failureWords, systemWords, credentialWords}
}

// of returns a text by its key, or the key.
func (t text) of(key string) string {
	var w [2]string
	ok := false
	for _, list := range wordLists() {
		if w, ok = list()[key]; ok {
			break
		}
	}
	if !ok {
		return key
	}
	if t.lang == "zh" {
		return w[1]
	}
	return w[0]
}

// code names the kind of a fault.
func (t text) code(f *fault.Error) string { return t.codeName(f.Code) }

// codeName names a kind of fault.
func (t text) codeName(code fault.Code) string {
	names := map[fault.Code][2]string{
		fault.NotFound:   {"not found", "未找到"},
		fault.Invalid:    {"refused", "已拒绝"},
		fault.Exists:     {"exists already", "已存在"},
		fault.Conflict:   {"conflict", "冲突"},
		fault.InUse:      {"in use", "使用中"},
		fault.WrongState: {"wrong state", "状态不允许"},
		fault.RunEnded:   {"the run is over", "任务已结束"},
		fault.TooLarge:   {"too large", "过大"},
		fault.Forbidden:  {"forbidden", "禁止"},

		fault.SignaturePolicy: {"refused by the signature policy", "不符合签名要求"},
		fault.Rollback:        {"older version", "版本较旧"},
		fault.Reference:       {"reference refused", "插件地址被拒绝"},
		fault.Registry:        {"the registry failed", "插件仓库出错"},
		fault.Blocked:         {"blocked", "已禁用"},
	}
	n, ok := names[code]
	switch {
	case !ok:
		return t.of("error")
	case t.lang == "zh":
		return n[1]
	default:
		return n[0]
	}
}
