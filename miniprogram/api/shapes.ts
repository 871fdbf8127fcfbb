// What the server answers and takes.
import { STATES } from '../words'

export interface Tag {
  code: string
  text: string
  primary: boolean
}

export interface Level {
  level: number
  name: string
  tags: Tag[]
}

export interface Receipt {
  agency: string
  matter: string
  window: string
  handled_at: string
}

export interface Invitation {
  state: 'open' | 'reviewed' | 'closed'
  receipt: Receipt
  levels: Level[]
  open_until: string
}

export interface Matter {
  code: string
  name: string
  agency: string
}

export interface Wall {
  hall: { code: string; name: string }
  window: { code: string; name: string; agency: string } | null
  matters: Matter[]
  more_matters: boolean
  levels: Level[]
}

export interface ReviewForm {
  level: number
  tags: string[]
  comment: string
  real_name: boolean
  contact?: { name: string; phone?: string }
  /** On a wall only: what it was about, as the citizen says. */
  matter_code?: string
  case_number?: string
}

export interface OrderTaken {
  number: string
  agency: string
  due_at: string
}

export interface ReviewTaken {
  query_code: string
  level: number
  undo_until: string
  work_order: OrderTaken | null
  /** Of a visit to a wall, which had no code before. */
  code?: string
}

export interface Review {
  level: number
  level_name: string
  tag_texts: string[]
  comment: string
  state: 'standing' | 'awaiting_reason' | 'undone' | 'suspended' | 'excluded' | 'default'
  real_name: boolean
  agency: string
  matter: string
  window: string
  at: string
  undo_until: string
  supplement: string | null
}

export type OrderState = keyof typeof STATES

export interface Step {
  at: string
  what: string
  words: string
}

export interface Order {
  number: string
  state: OrderState
  agency: string
  due_at: string
  provisional: boolean
  next_step: string
  desk: string | null
  open: boolean
  steps: Step[]
}

export interface Message {
  at: string
  from: 'citizen' | 'agency'
  words: string
}

export interface Grievance {
  source_name: string
  kind_name: string
  function_name: string
  text: string
  real_name: boolean
  matter: string
  window: string
  at: string
}

/** Of a review or of a grievance: one of the two is there. */
export interface Track {
  review?: Review
  grievance?: Grievance
  work_order: Order | null
  awaiting_you: 'confirmation' | 'answer' | null
  questionnaire: 'open' | 'answered' | null
  messages: Message[]
  rates: ('agency' | 'desk')[]
  call_back: { asked_at: string; question: string } | null
}

export interface Choice {
  answer: string
  name: string
}

export interface Questionnaire {
  matter: string
  questions: string[]
  choices: Choice[]
  open_question: string
  /** Of the words: sent back with the answers. */
  version: string
  open_until: string
}

export interface Pressure {
  state: 'received' | 'confirmed' | 'cleared'
  words: string
  agency: string
  matter: string
  reported_at: string
  due_at: string
}

export interface ProofAsked {
  valid_seconds: number
  again_after_seconds: number
}

export interface Disowned {
  review_code: string
  open_until: string
}

export interface Mine {
  query_code: string | null
  level: number
  level_name: string
  state: Review['state']
  matter: string
  agency: string
  at: string
  work_order: { number: string; state: OrderState; due_at: string } | null
}

export interface Grant {
  template: string
  template_id: string | null
  remaining: number
}

export interface Listed<T> {
  items: T[]
  next_cursor?: string | null
}

export interface Problem {
  status: number
  code: string
  title: string
  detail: string
  errors: { field: string; code: string; detail: string }[]
}
