"""Uses Ollama's public client against a running server: python ollama_client.py ADDRESS PICTURE KEY"""

import sys
from importlib.metadata import version

import ollama

address, path, key = sys.argv[1:]
client = ollama.Client(host=f"http://{address}", headers={"Authorization": f"Bearer {key}"})

ENGLISH = "horse on a white background"
assert [model.model for model in client.list().models] == ["pictograms:latest"]
shown = client.show("pictograms")
assert shown.capabilities == ["completion", "vision"], shown

answer = client.generate("pictograms", "Describe this picture.", images=[path], system="English", options={"temperature": 0})
assert answer.response == ENGLISH and answer.done and answer.done_reason == "stop", answer
assert answer.eval_count > 3 and answer.total_duration > 0

# One beam settles its words one after the other, several beams only in the end.
parts = list(client.generate("pictograms", images=[path], system="English", stream=True, options={"num_beams": 1}))
assert "".join(part.response for part in parts) == ENGLISH
assert len(parts) > 2 and parts[-1].done and not parts[0].done

messages = [
    {"role": "system", "content": "Answer in German."},
    {"role": "user", "content": "What is this?", "images": [path]},
]
answer = client.chat("pictograms", messages)
assert "Pferd" in answer.message.content, answer
parts = list(client.chat("pictograms", messages, stream=True))
assert "".join(part.message.content for part in parts) == answer.message.content

assert client.generate("pictograms").done_reason == "load"
for ask, status in [
    (lambda: client.generate("pictograms", "Why is the sky blue?"), 400),
    (lambda: client.generate("llava", "x"), 404),
    (lambda: client.generate("pictograms", images=[path], format="json"), 400),
    (lambda: client.embed("pictograms", "x"), 404),
    (lambda: ollama.Client(host=f"http://{address}").list(), 401),
]:
    try:
        ask()
    except ollama.ResponseError as error:
        assert error.status_code == status and error.error and "{" not in error.error, error
    else:
        raise AssertionError(status)
print(f"ollama {version('ollama')}: ok")
