"""Uses OpenAI's public client against a running server: python openai_client.py ADDRESS PICTURE KEY"""

import base64
import sys

import openai

address, path, key = sys.argv[1:]
data = base64.b64encode(open(path, "rb").read()).decode()
client = openai.OpenAI(base_url=f"http://{address}/v1", api_key=key, max_retries=0)

assert [model.id for model in client.models.list()] == ["pictograms"]
assert client.models.retrieve("pictograms").id == "pictograms"


def messages(system):
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    question = {"type": "text", "text": "What is in this picture?"}
    return [{"role": "system", "content": system}, {"role": "user", "content": [question, picture]}]


def create(system="Answer in English.", **options):
    return client.chat.completions.create(model="pictograms", messages=messages(system), **options)


ENGLISH = "horse on a white background"
completion = create(temperature=0, max_tokens=300)
assert completion.choices[0].message.content == ENGLISH, completion
assert completion.choices[0].finish_reason == "stop"
assert completion.usage.total_tokens > 3

assert "Pferd" in create("Answer in German.").choices[0].message.content
assert create("German", extra_body={"language": "en"}).choices[0].message.content == ENGLISH

several = create(n=3, logprobs=True, top_logprobs=2)
assert len(several.choices) == 3
tokens = several.choices[0].logprobs.content
assert "".join(token.token for token in tokens).strip() == ENGLISH
assert all(len(token.top_logprobs) == 2 and token.logprob <= 0 for token in tokens)

# A sample has a seed.
samples = {create(temperature=1.5, seed=7).choices[0].message.content for _ in range(2)}
assert len(samples) == 1, samples

text, reasons = "", []
for chunk in create(stream=True, stream_options={"include_usage": True}):
    for choice in chunk.choices:
        text += choice.delta.content or ""
        reasons.append(choice.finish_reason)
assert text == ENGLISH, text
assert reasons[-1] == "stop" and chunk.usage.completion_tokens > 3

for options, kind, code in [
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, openai.BadRequestError, "unsupported"),
    ({"model": "gpt-4o"}, openai.NotFoundError, "model_not_found"),
    ({"messages": [{"role": "user", "content": "Hello"}]}, openai.BadRequestError, "unsupported"),
    ({"extra_body": {"num_beams": 10000}}, openai.BadRequestError, "over_limit"),
]:
    asked = {"model": "pictograms", "messages": messages(""), **options}
    try:
        client.chat.completions.create(**asked)
    except kind as error:
        assert error.code == code, error
    else:
        raise AssertionError(options)

try:
    openai.OpenAI(base_url=f"http://{address}/v1", api_key="another-key-than-that", max_retries=0).models.list()
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key"
else:
    raise AssertionError("a wrong key was accepted")
print(f"openai {openai.__version__}: ok")
