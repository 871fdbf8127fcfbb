// WXML → glass-easel templates. Tags get WeChat's own names in the DOM (`view` → `wx-view`).
import fs from 'node:fs'
import path from 'node:path'
import { TmplGroup } from 'glass-easel-template-compiler'

export const BUILT_IN = ['view', 'text', 'button', 'image', 'input', 'textarea', 'navigator', 'scroll-view']
const TAG = /<\/?([\w-]+)/g
const PARTS = ['block', 'template', 'slot', 'import', 'include']
const BUILT_IN_TAG = new RegExp(`<(/?)(${BUILT_IN.join('|')})(?=[\\s>/])`, 'g')
const HANDLER = /\b(?:bind|catch):?\w+="(\w+)"/g

export function templates(src, components, problems) {
  const group = new TmplGroup()
  for (const [name, json] of components) {
    const text = fs.readFileSync(path.join(src, `${name}.wxml`), 'utf8')
    checkTags(name, text, json, problems)
    checkHandlers(src, name, text, problems)
    for (const fault of group.addTmpl(name, text.replace(BUILT_IN_TAG, '<$1wx-$2')) || []) {
      problems.push(`${name}.wxml:${fault.startLine + 1}:${fault.startColumn + 1} ${fault.message}`)
    }
  }
  for (const [tag, inside] of Object.entries(INSIDE)) group.addTmpl(`builtin/${tag}`, inside)
  return group
}

const INSIDE = {
  button: '<slot/>', navigator: '<slot/>', 'scroll-view': '<slot/>', image: '<img class="n"/>',
  input: '<input class="n"/>', textarea: '<textarea class="n"/>',
}

function checkTags(name, text, json, problems) {
  const known = [...BUILT_IN, ...PARTS, ...Object.keys(json.usingComponents)]
  for (const [, tag] of text.replace(/<!--[\s\S]*?-->/g, '').matchAll(TAG)) {
    if (!known.includes(tag)) problems.push(`${name}.wxml: <${tag}> is neither built in nor in usingComponents`)
  }
}

/** A tap on nothing is silent on a phone. */
function checkHandlers(src, name, text, problems) {
  const code = fs.readFileSync(path.join(src, `${name}.ts`), 'utf8')
  for (const [, handler] of text.matchAll(HANDLER)) {
    if (!new RegExp(`^\\s+(async )?${handler}\\(`, 'm').test(code)) problems.push(`${name}.wxml: no method ${handler}`)
  }
}
