namespace Attune.Prompts;

/// <summary>
/// Templates that we wrote after the published formats, each with generation blocks around what the assistant says,
/// its end of turn included, so that loss masks come from the template itself. A role that a format has no place for
/// is refused, not dropped.
/// </summary>
public static class BuiltInTemplates
{
    // What these formats have no place for is refused: a field dropped in silence is a model trained on something else.
    private const string Refuse =
        """
        {%- if tools -%}{{ raise_exception('This format has no place for tools.') }}{%- endif -%}
        {%- if documents -%}{{ raise_exception('This format has no place for documents.') }}{%- endif -%}
        {%- for message in messages -%}
          {%- if message['tool_calls'] or message['reasoning_content'] -%}
            {{- raise_exception('This format has no place for tool calls or reasoning.') -}}
          {%- elif message['content'] is not string -%}
            {{- raise_exception('This format takes text content only.') -}}
          {%- endif -%}
        {%- endfor -%}

        """;

    /// <summary>No format at all: texts one after the other, the assistant's ended by the end of text.</summary>
    public const string Base = Refuse +
        """
        {%- for message in messages -%}
          {%- if message['role'] == 'assistant' -%}
            {%- generation -%}{{ message['content'] }}{{ eos_token }}{%- endgeneration -%}
          {%- else -%}
            {{- message['content'] -}}
          {%- endif -%}
        {%- endfor -%}
        """;

    /// <summary>Question and answer in plain text, examples separated by an empty line: few-shot prompts for Base models.</summary>
    public const string Completion = Refuse +
        """
        {%- for message in messages -%}
          {%- if message['role'] == 'system' -%}
            {{- message['content'] + '\n\n' -}}
          {%- elif message['role'] == 'user' -%}
            {{- 'Question: ' + message['content'] + '\nAnswer:' -}}
          {%- elif message['role'] == 'assistant' -%}
            {{- ' ' -}}
            {%- generation -%}{{ message['content'] + '\n\n' }}{%- endgeneration -%}
          {%- else -%}
            {{- raise_exception('Plain completion has no role ' + message['role'] + '.') -}}
          {%- endif -%}
        {%- endfor -%}
        """;

    /// <summary>
    /// ChatML: every turn between &lt;|im_start|&gt;role and &lt;|im_end|&gt;, no BOS. Tools stand in the system turn, one
    /// JSON a line; a call is JSON between &lt;tool_call&gt; tags and is learnt like any answer; results come back in a turn
    /// of the role tool.
    /// </summary>
    public const string ChatMl =
        """
        {%- if documents -%}{{ raise_exception('This format has no place for documents.') }}{%- endif -%}
        {%- for message in messages -%}
          {%- if message['role'] not in ['system', 'user', 'assistant', 'tool'] -%}
            {{- raise_exception('ChatML here knows system, user, assistant and tool, not ' + message['role'] + '.') -}}
          {%- elif message['reasoning_content'] -%}
            {{- raise_exception('This format has no place for reasoning.') -}}
          {%- elif message['content'] is not string and not message['tool_calls'] -%}
            {{- raise_exception('This format takes text content only.') -}}
          {%- endif -%}
        {%- endfor -%}
        {%- if tools -%}
          {{- '<|im_start|>system\n' -}}
          {%- if messages[0]['role'] == 'system' -%}
            {{- messages[0]['content'] + '\n\n' -}}
          {%- endif -%}
          {{- 'Tools:\n' -}}
          {%- for tool in tools -%}
            {{- tool | tojson + '\n' -}}
          {%- endfor -%}
          {{- 'Call one with <tool_call>{"name": ..., "arguments": ...}</tool_call>.<|im_end|>\n' -}}
        {%- endif -%}
        {%- for message in messages -%}
          {%- if not (tools and loop.first and message['role'] == 'system') -%}
            {{- '<|im_start|>' + message['role'] + '\n' -}}
            {%- if message['role'] == 'assistant' -%}
              {%- generation -%}
                {%- if message['content'] -%}{{ message['content'] }}{%- endif -%}
                {%- for call in message['tool_calls'] or [] -%}
                  {%- if message['content'] or not loop.first -%}{{ '\n' }}{%- endif -%}
                  {{- '<tool_call>{"name": ' + call['function']['name'] | tojson + ', "arguments": ' + call['function']['arguments'] | tojson + '}</tool_call>' -}}
                {%- endfor -%}
                {{- '<|im_end|>' -}}
              {%- endgeneration -%}
            {%- else -%}
              {{- message['content'] + '<|im_end|>' -}}
            {%- endif -%}
            {{- '\n' -}}
          {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
          {{- '<|im_start|>assistant\n' -}}
        {%- endif -%}
        """;

    /// <summary>Llama 3: role headers, an empty line, the text trimmed, &lt;|eot_id|&gt;.</summary>
    public const string Llama3 = Refuse +
        """
        {{- bos_token -}}
        {%- for message in messages -%}
          {%- if message['role'] not in ['system', 'user', 'assistant', 'ipython', 'tool'] -%}
            {{- raise_exception('Llama 3 knows system, user, assistant, ipython and tool, not ' + message['role'] + '.') -}}
          {%- endif -%}
          {{- '<|start_header_id|>' + ('ipython' if message['role'] == 'tool' else message['role']) + '<|end_header_id|>\n\n' -}}
          {%- if message['role'] == 'assistant' -%}
            {%- generation -%}{{ message['content'] | trim }}{{ '<|eot_id|>' }}{%- endgeneration -%}
          {%- else -%}
            {{- message['content'] | trim }}{{ '<|eot_id|>' -}}
          {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
          {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
        {%- endif -%}
        """;

    /// <summary>Llama 2: [INST] … [/INST] pairs, the system text inside the first; turns must alternate.</summary>
    public const string Llama2 = Refuse +
        """
        {%- if messages and messages[0]['role'] == 'system' -%}
          {%- set system = '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' -%}
          {%- set turns = messages[1:] -%}
        {%- else -%}
          {%- set system = '' -%}
          {%- set turns = messages -%}
        {%- endif -%}
        {%- for message in turns -%}
          {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
            {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
          {%- endif -%}
          {%- if message['role'] == 'user' -%}
            {{- bos_token + '[INST] ' + (system if loop.first else '') + message['content'] | trim + ' [/INST]' -}}
          {%- elif message['role'] == 'assistant' -%}
            {%- generation -%}{{ ' ' + message['content'] | trim + ' ' + eos_token }}{%- endgeneration -%}
          {%- else -%}
            {{- raise_exception('Llama 2 knows system, user and assistant, not ' + message['role'] + '.') -}}
          {%- endif -%}
        {%- endfor -%}
        """;

    /// <summary>Mistral: [INST] … [/INST] with one BOS; the system text goes before the first question.</summary>
    public const string Mistral = Refuse +
        """
        {%- if messages and messages[0]['role'] == 'system' -%}
          {%- set system = messages[0]['content'] + '\n\n' -%}
          {%- set turns = messages[1:] -%}
        {%- else -%}
          {%- set system = '' -%}
          {%- set turns = messages -%}
        {%- endif -%}
        {{- bos_token -}}
        {%- for message in turns -%}
          {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
            {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
          {%- endif -%}
          {%- if message['role'] == 'user' -%}
            {{- '[INST] ' + (system if loop.first else '') + message['content'] + ' [/INST]' -}}
          {%- elif message['role'] == 'assistant' -%}
            {%- generation -%}{{ ' ' + message['content'] | trim + eos_token }}{%- endgeneration -%}
          {%- else -%}
            {{- raise_exception('Mistral knows system, user and assistant, not ' + message['role'] + '.') -}}
          {%- endif -%}
        {%- endfor -%}
        """;

    /// <summary>Gemma: turns of user and model; it has no system role, which is refused.</summary>
    public const string Gemma = Refuse +
        """
        {{- bos_token -}}
        {%- for message in messages -%}
          {%- if message['role'] == 'system' -%}
            {{- raise_exception('System role not supported') -}}
          {%- elif (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
            {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
          {%- endif -%}
          {%- if message['role'] == 'assistant' -%}
            {{- '<start_of_turn>model\n' -}}
            {%- generation -%}{{ message['content'] | trim + '<end_of_turn>' }}{%- endgeneration -%}
          {%- elif message['role'] == 'user' -%}
            {{- '<start_of_turn>user\n' + message['content'] | trim + '<end_of_turn>' -}}
          {%- else -%}
            {{- raise_exception('Gemma knows user and assistant, not ' + message['role'] + '.') -}}
          {%- endif -%}
          {{- '\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
          {{- '<start_of_turn>model\n' -}}
        {%- endif -%}
        """;

    /// <summary>Zephyr: &lt;|role|&gt;, the text, the end of sequence, each on its line.</summary>
    public const string Zephyr = Refuse +
        """
        {%- for message in messages -%}
          {%- if message['role'] not in ['system', 'user', 'assistant'] -%}
            {{- raise_exception('Zephyr knows system, user and assistant, not ' + message['role'] + '.') -}}
          {%- endif -%}
          {{- '<|' + message['role'] + '|>\n' -}}
          {%- if message['role'] == 'assistant' -%}
            {%- generation -%}{{ message['content'] + eos_token }}{%- endgeneration -%}
          {%- else -%}
            {{- message['content'] + eos_token -}}
          {%- endif -%}
          {{- '\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
          {{- '<|assistant|>\n' -}}
        {%- endif -%}
        """;

    /// <summary>Alpaca: ### Instruction and ### Response headings.</summary>
    public const string Alpaca = Refuse +
        """
        {%- for message in messages -%}
          {%- if message['role'] == 'system' -%}
            {{- message['content'] + '\n\n' -}}
          {%- elif message['role'] == 'user' -%}
            {{- '### Instruction:\n' + message['content'] + '\n\n' -}}
          {%- elif message['role'] == 'assistant' -%}
            {{- '### Response:\n' -}}
            {%- generation -%}{{ message['content'] + eos_token }}{%- endgeneration -%}
            {{- '\n\n' -}}
          {%- else -%}
            {{- raise_exception('Alpaca knows system, user and assistant, not ' + message['role'] + '.') -}}
          {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
          {{- '### Response:\n' -}}
        {%- endif -%}
        """;

    /// <summary>Vicuna 1.1: USER: … ASSISTANT: …&lt;/s&gt;.</summary>
    public const string Vicuna = Refuse +
        """
        {%- for message in messages -%}
          {%- if message['role'] == 'system' -%}
            {{- message['content'] + ' ' -}}
          {%- elif message['role'] == 'user' -%}
            {{- 'USER: ' + message['content'] + ' ' -}}
          {%- elif message['role'] == 'assistant' -%}
            {{- 'ASSISTANT: ' -}}
            {%- generation -%}{{ message['content'] + eos_token }}{%- endgeneration -%}
          {%- else -%}
            {{- raise_exception('Vicuna knows system, user and assistant, not ' + message['role'] + '.') -}}
          {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
          {{- 'ASSISTANT:' -}}
        {%- endif -%}
        """;
}
